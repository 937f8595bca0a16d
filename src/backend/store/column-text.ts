/** RFC 6749 §3.3: scope values hold no space, so a space joins them without loss. */
export function writeScopes(scopes: readonly string[]): string {
  return scopes.join(" ");
}

export function readScopes(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

const noResources = "[]";

export function writeResources(resources: readonly string[]): string {
  return resources.length === 0 ? noResources : JSON.stringify(resources);
}

export function readResources(text: string): string[] {
  return text === noResources ? [] : (JSON.parse(text) as string[]);
}
