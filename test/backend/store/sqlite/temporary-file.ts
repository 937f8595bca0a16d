import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

/** A path in a fresh directory that is removed after the test. */
export async function temporaryFile(t: ExecutionContext, name = "store.db"): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return join(directory, name);
}
