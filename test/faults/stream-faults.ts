/** What becomes of the blocks of a stream of server-sent events. */
export type StreamFault =
  | { readonly kind: "pass" }
  /** Nothing comes, with the connection open. */
  | { readonly kind: "silence" }
  | { readonly kind: "delay"; readonly milliseconds: number }
  | { readonly kind: "duplicate" }
  /** An invalidation comes after the block that followed upon it. */
  | { readonly kind: "reorder" }
  /** Invalidations are taken out, all else comes. */
  | { readonly kind: "swallow" }
  /** In place of each invalidation; `\n\n` is put behind it. */
  | { readonly kind: "garbage"; readonly text: string }
  /** The connection ends in the middle of the next invalidation, and none is opened any more. */
  | { readonly kind: "break" };

/**
 * Applies the fault that is in force when a block comes; one for each stream, since some remember a block.
 *
 * @example proxy.fault = { kind: "blocks", each: disturb(() => fault, { onBreak, onPassed }) }
 */
export function disturb(
  current: () => StreamFault,
  { onBreak, onPassed }: { readonly onBreak: () => void; readonly onPassed: (type: string) => void },
): (block: string) => readonly string[] | Promise<readonly string[]> {
  let keptBack: string | undefined;

  function each(block: string): readonly string[] | Promise<readonly string[]> {
    const fault = current();
    const isInvalidation = typeOf(block) === "invalidation";
    const first = keptBack === undefined ? [block] : [block, keptBack];
    keptBack = undefined;
    switch (fault.kind) {
      case "pass":
        return first;
      case "silence":
        return [];
      case "delay":
        return new Promise((resolve) => setTimeout(resolve, fault.milliseconds, [block]));
      case "duplicate":
        return [block, block];
      case "reorder":
        if (!isInvalidation) return first;
        keptBack = block;
        return first.slice(1);
      case "swallow":
        return isInvalidation ? [] : first;
      case "garbage":
        return isInvalidation ? [`${fault.text}\n\n`] : first;
      case "break":
        if (!isInvalidation) return first;
        setImmediate(onBreak);
        return [block.slice(0, block.length / 2)];
    }
  }

  return async (block) => {
    const passed = await each(block);
    for (const one of passed) onPassed(typeOf(one));
    return passed;
  };
}

function typeOf(block: string): string {
  return /^event: (\w+)$/m.exec(block)?.[1] ?? "";
}
