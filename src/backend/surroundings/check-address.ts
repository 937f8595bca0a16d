import { once } from "node:events";
import { access, constants, lstat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import type { Listen } from "../configuration/configuration.ts";
import { problem, warning, type Finding } from "./finding.ts";

/** Octets: one less than what Linux has for a socket's path. */
const longestSocketPath = 107;

const inUse = "fine if it is this backend; stop any other program before a start";

/**
 * Checks that the address is free: it binds a port for a moment, and never makes a unix socket.
 *
 * Rejects with the system's error of `listen` if a start would fail. If something listens there already, it is a
 * warning, because it is usually the backend itself.
 */
export async function checkAddressFree(listen: Listen): Promise<readonly Finding[]> {
  if ("unix" in listen) return checkSocket(listen.unix);
  const { host, port } = listen;
  // A client that connects at this moment is not served.
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host, port });
    await once(server, "listening");
    return [];
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw error;
    return [warning("listen.port", `is ${port}, where something listens already: ${inUse}`)];
  } finally {
    server.close();
  }
}

async function checkSocket(path: string): Promise<readonly Finding[]> {
  const at = "listen.unix";
  if (Buffer.byteLength(path) > longestSocketPath) {
    return [problem(at, `is too long for a unix socket: ${path} has more than ${longestSocketPath} octets`)];
  }
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [problem(at, `is in a folder that does not exist, or that this user may not write to: ${folder}`)];
  }
  const existing = await lstat(path).catch(() => undefined);
  if (existing === undefined) return [];
  if (!existing.isSocket()) return [problem(at, `is another file: ${path}`)];
  // A socket without a listener is a leftover, and a start removes it.
  return (await answers(path)) ? [warning(at, `is ${path}, where something listens already: ${inUse}`)] : [];
}

async function answers(path: string): Promise<boolean> {
  const probe = connect({ path });
  try {
    await once(probe, "connect");
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
