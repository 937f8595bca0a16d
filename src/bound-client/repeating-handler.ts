/** The callbacks of an undici request, as far as they matter here. */
export interface DispatchHandler {
  onRequestStart?(controller: unknown, context: unknown): void;
  onRequestUpgrade?(controller: unknown, status: number, headers: Headers, socket: unknown): void;
  onResponseStarted?(): void;
  onResponseStart?(controller: unknown, status: number, headers: Headers, statusMessage?: string): void;
  onResponseData?(controller: unknown, chunk: Buffer): void;
  onResponseEnd?(controller: unknown, trailers: unknown): void;
  /** The controller is `null` before the request has begun. */
  onResponseError?(controller: unknown, error: Error): void;
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Passes everything on but an answer that refuses the token: `forget` is called then, and `again`, if there is one,
 * when that answer is over. Nothing of it reaches the handler in that case.
 */
export class RepeatingHandler implements DispatchHandler {
  readonly #to: DispatchHandler;
  readonly #forget: () => void;
  readonly #again: (() => void) | undefined;
  #held = false;

  constructor(to: DispatchHandler, forget: () => void, again: (() => void) | undefined) {
    this.#to = to;
    this.#forget = forget;
    this.#again = again;
  }

  onRequestStart(controller: unknown, context: unknown): void {
    this.#to.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(controller: unknown, status: number, headers: Headers, socket: unknown): void {
    this.#to.onRequestUpgrade?.(controller, status, headers, socket);
  }

  onResponseStarted(): void {
    this.#to.onResponseStarted?.();
  }

  onResponseStart(controller: unknown, status: number, headers: Headers, statusMessage?: string): void {
    if (isTokenRefusal(status, headers["www-authenticate"])) {
      this.#forget();
      this.#held = this.#again !== undefined;
    }
    if (!this.#held) this.#to.onResponseStart?.(controller, status, headers, statusMessage);
  }

  onResponseData(controller: unknown, chunk: Buffer): void {
    if (!this.#held) this.#to.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: unknown, trailers: unknown): void {
    if (this.#held) this.#again?.();
    else this.#to.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: unknown, error: Error): void {
    this.#to.onResponseError?.(controller, error);
  }

  onBodySent(chunk: Buffer): void {
    this.#to.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#to.onRequestSent?.();
  }
}

/**
 * Whether an API's answer says that the token is not good any more (RFC 6750 §3.1): another one may be.
 *
 * @example isTokenRefusal(401, 'Bearer error="invalid_token"') // true
 */
export function isTokenRefusal(status: number | undefined, challenge: string | readonly string[] | undefined): boolean {
  if (status !== 401 || challenge === undefined) return false;
  const texts = typeof challenge === "string" ? [challenge] : challenge;
  return texts.some((text) => /(?:^|[\s,])error *= *(?:"invalid_token"|invalid_token(?=[\s,]|$))/i.test(text));
}
