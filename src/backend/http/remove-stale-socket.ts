import { once } from "node:events";
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/**
 * Removes the unix socket that a process left behind when it was killed; one that still answers, or anything that is
 * not a socket, stays and makes listening fail.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const probe = connect({ path });
  try {
    await once(probe, "connect");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED" && (await isSocket(path))) {
      await unlink(path);
    }
  } finally {
    probe.destroy();
  }
}

/** Connecting to a plain file is refused as well. */
async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path)).isSocket();
}
