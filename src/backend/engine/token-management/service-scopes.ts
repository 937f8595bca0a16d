import type { Service } from "../management/settings-memo.ts";

/** Whether the service has every one of these scopes. */
export function hasScopes({ settings }: Service, scopes: readonly string[]): boolean {
  return scopes.every((name) => settings.supportedScopes.some((scope) => scope.name === name));
}
