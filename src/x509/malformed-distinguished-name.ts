/** A text that is not an RFC 4514 distinguished name; the message says where and why, and never quotes it. */
export class MalformedDistinguishedName extends TypeError {
  override readonly name = "MalformedDistinguishedName";
  readonly code = "ERR_MALFORMED_DISTINGUISHED_NAME";
  /** What is wrong, and at which character: the message without its beginning and its full stop. */
  readonly reason: string;

  /** `at`: the index of the character at which reading ended. */
  constructor(problem: string, at: number) {
    const reason = `${problem}, at character ${at + 1}`;
    super(`Not a distinguished name (RFC 4514): ${reason}.`);
    this.reason = reason;
  }
}
