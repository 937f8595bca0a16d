/** The callbacks of an undici request that are used here. */
export interface DispatchHandler {
  onRequestStart?(controller: unknown, context: unknown): void;
  onRequestUpgrade?(controller: unknown, status: number, headers: Headers, socket: unknown): void;
  onResponseStarted?(): void;
  onResponseStart?(controller: unknown, status: number, headers: Headers, statusMessage?: string): void;
  onResponseData?(controller: unknown, chunk: Buffer): void;
  onResponseEnd?(controller: unknown, trailers: unknown): void;
  /** The controller is `null` if the request has not started. */
  onResponseError?(controller: unknown, error: Error): void;
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Forwards all callbacks, except for a response that rejects the token: then it calls `forget`, and `again`, if given,
 * at the end of that response, of which the handler sees nothing.
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
 * Whether an API rejected the token (`invalid_token`, RFC 6750 §3.1), so that a new token may succeed.
 *
 * @example isTokenRefusal(401, 'Bearer error="invalid_token"') // true
 */
export function isTokenRefusal(status: number | undefined, challenge: string | readonly string[] | undefined): boolean {
  if (status !== 401 || challenge === undefined) return false;
  const texts = typeof challenge === "string" ? [challenge] : challenge;
  return texts.some((text) => /(?:^|[\s,])error *= *(?:"invalid_token"|invalid_token(?=[\s,]|$))/i.test(text));
}
