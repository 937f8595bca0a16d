/**
 * Why bytes are not one certificate; stable, for logs and tests.
 *
 * `not_der` includes every form that only BER allows; `not_a_certificate` is valid DER of something else.
 */
export type MalformedCertificateReason =
  | "empty"
  | "too_large"
  | "not_pem"
  | "text_outside"
  | "several_certificates"
  | "bad_base64"
  | "not_der"
  | "trailing_bytes"
  | "private_key"
  | "not_a_certificate";

const sentences = {
  empty: "There is no certificate in it.",
  too_large: "It is larger than any certificate may be.",
  not_pem: "It is not PEM text: it does not begin and end with the markers of a certificate.",
  text_outside: "There is text outside the PEM block.",
  several_certificates: "There is more than one certificate in it.",
  bad_base64: "Between the markers is something that is not canonical base64.",
  not_der: "It is not DER: an element is cut short, or in a form that only BER allows.",
  trailing_bytes: "There are bytes after the certificate.",
  private_key: "It is a private key, and must not be sent to anyone.",
  not_a_certificate: "It is not an X.509 certificate.",
} satisfies Record<MalformedCertificateReason, string>;

/**
 * A certificate that cannot be read. The message says why by `reason` alone and never quotes the input.
 *
 * @example if (error instanceof MalformedCertificate) log.info({ reason: error.reason })
 */
export class MalformedCertificate extends Error {
  override readonly name = "MalformedCertificate";
  readonly reason: MalformedCertificateReason;
  /** The position of the certificate in a file with several, from 1. */
  declare readonly place?: number;

  constructor(reason: MalformedCertificateReason, place?: number) {
    super(`The certificate cannot be read. ${sentences[reason]}`);
    this.reason = reason;
    if (place !== undefined) this.place = place;
  }

  /** The reason as a sentence. */
  get sentence(): string {
    return sentences[this.reason];
  }

  /** The reason as a clause: `there is text outside the PEM block`. */
  get clause(): string {
    return clauseOf(this.reason);
  }
}

/**
 * Returns a reason as a clause.
 *
 * @example clauseOf("text_outside") // "there is text outside the PEM block"
 */
export function clauseOf(reason: MalformedCertificateReason): string {
  const sentence = sentences[reason];
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1, -1)}`;
}
