import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { UnusableDatabase } from "./migrate.ts";

/** Identifies the database file: changes when it is replaced, not when it is written. `0`: unknown. */
export interface FileIdentity {
  readonly inode: bigint;
  /** Nanoseconds since 1970. */
  readonly born: bigint;
}

/** The number of commits of the store, and the session: one opening of the file by one writer. */
export interface MarkedCommit {
  readonly session: string;
  readonly commits: number;
}

/** The content of a store's mark. */
export interface StoreMark {
  /** The store's epoch, 16 octets as hexadecimal text. */
  readonly epoch: string;
  readonly file: FileIdentity;
  /** The last commit that was begun. */
  readonly begun: MarkedCommit;
  /** The last commit known to be complete. */
  readonly committed: MarkedCommit;
}

/** The mark of one store, open for writing. Every method throws errors of the file system. */
export interface StoreMarkFile {
  /** `undefined` when it is missing or unreadable. */
  read(): StoreMark | undefined;
  write(mark: StoreMark): void;
  /** Call it under the store's lock: `begun` is about to be committed, `committed` has been. */
  begin(begun: MarkedCommit, committed: MarkedCommit): void;
  complete(committed: MarkedCommit): void;
  /** Makes the writes survive a loss of power. */
  sync(): void;
  close(): void;
}

// Lines of a fixed length, so that each is overwritten in place. The whole is less than one sector of a disk.
const headLength = 120;
const commitLength = 40;
const length = headLength + 2 * commitLength;

const pattern =
  /^certbound-mark 1 ([0-9a-f]{32}) (\d{1,20}) (\d{1,20}) *\n([0-9a-f]{16}) (\d{1,16}) *\n([0-9a-f]{16}) (\d{1,16}) *\n$/;

/** Where the mark of a store is. */
export const markPathOf = (store: string): string => `${store}-mark`;

/**
 * Opens the mark beside a store, or creates an empty one; throws {@link UnusableDatabase} if it cannot.
 *
 * @example openStoreMark(markPathOf("/var/lib/certbound/store.db")).read()
 */
export function openStoreMark(path: string): StoreMarkFile {
  const descriptor = openForUpdate(path);
  const put = (text: string, position: number): void => {
    writeSync(descriptor, text, position, "latin1");
  };
  return {
    read() {
      const octets = Buffer.alloc(length + 1);
      return parse(octets.toString("latin1", 0, readSync(descriptor, octets, 0, octets.length, 0)));
    },
    write({ epoch, file, begun, committed }) {
      const head = `certbound-mark 1 ${epoch} ${file.inode} ${file.born}`;
      put(line(head, headLength) + commitLine(begun) + commitLine(committed), 0);
      ftruncateSync(descriptor, length);
    },
    begin(begun, committed) {
      put(commitLine(begun) + commitLine(committed), headLength);
    },
    complete(committed) {
      put(commitLine(committed), headLength + commitLength);
    },
    sync() {
      fdatasyncSync(descriptor);
    },
    close() {
      closeSync(descriptor);
    },
  };
}

/** Which file is at this path now. */
export function identifyFile(path: string): FileIdentity {
  const { ino, birthtimeNs, ctimeNs } = statSync(path, { bigint: true });
  // Some file systems have no time of birth and report the time of the last change instead.
  return { inode: ino, born: birthtimeNs === ctimeNs ? 0n : birthtimeNs };
}

/** `r+` never makes a file and `w+` would empty one that another process has just made. */
function openForUpdate(path: string): number {
  const ownerOnly = 0o600;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "a", ownerOnly));
    return openSync(path, "r+");
  } catch (cause) {
    throw new UnusableDatabase('the mark beside it, "-mark" after its name, is not readable and writable', { cause });
  }
}

function line(text: string, size: number): string {
  return `${text.padEnd(size - 1)}\n`;
}

function commitLine({ session, commits }: MarkedCommit): string {
  return line(`${session} ${commits}`, commitLength);
}

function parse(text: string): StoreMark | undefined {
  const [, epoch, inode, born, begunBy, begun, committedBy, committed] = pattern.exec(text) ?? [];
  if (epoch === undefined || begunBy === undefined || committedBy === undefined) return undefined;
  return {
    epoch,
    file: { inode: BigInt(inode ?? 0), born: BigInt(born ?? 0) },
    begun: { session: begunBy, commits: Number(begun) },
    committed: { session: committedBy, commits: Number(committed) },
  };
}
