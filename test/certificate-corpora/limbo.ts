import { readFile } from "node:fs/promises";
import type { CertificatePath } from "../../src/backend/engine/dependencies.ts";
import { readPemBlocks } from "./pem-blocks.ts";

/** A case of x509-limbo: a path, how and when it is to be validated, and what RFC 5280 says about it. */
export interface LimboCase {
  readonly id: string;
  readonly path: CertificatePath;
  readonly purpose: "sslclient" | "sslserver";
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How many certificates there may be between leaf and anchor, where the case is about that. */
  readonly maxDepth: number | undefined;
  readonly valid: boolean;
}

/** What OpenSSL 3.0 says about a case, reviewed: table of `limbo-194-openssl.json`. */
export interface LimboExpectation {
  /** `trusted`, OpenSSL's own words, or ours where it is not asked. */
  readonly openssl: string;
  /** Why OpenSSL's verdict is another than RFC 5280's, and what that means for client certificates. */
  readonly deviation?: string;
  /** Why the case is about something that is not decided here; its verdict is held all the same. */
  readonly outOfScope?: string;
  /** Why these words are the right ones although they name something else. */
  readonly note?: string;
}

interface Testcase {
  readonly id: string;
  readonly validation_kind: "CLIENT" | "SERVER";
  readonly validation_time: string | null;
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly max_chain_depth: number | null;
  readonly expected_result: "SUCCESS" | "FAILURE";
}

/** A case without a time of its own is meant for now: any instant between 1970 and 2969. */
const now = Date.parse("2026-01-01T00:00:00Z");

/** All 194 cases, those for TLS servers too. */
export async function readLimboCases(): Promise<LimboCase[]> {
  const { testcases } = (await readVectors("limbo-194.json")) as { readonly testcases: readonly Testcase[] };
  return testcases.map((testcase) => ({
    id: testcase.id,
    path: {
      leaf: readPemBlocks(testcase.peer_certificate)[0] ?? Buffer.alloc(0),
      intermediates: testcase.untrusted_intermediates.flatMap(readPemBlocks),
      anchors: testcase.trusted_certs.flatMap(readPemBlocks),
    },
    purpose: testcase.validation_kind === "CLIENT" ? "sslclient" : "sslserver",
    at: testcase.validation_time === null ? now : Date.parse(testcase.validation_time),
    maxDepth: testcase.max_chain_depth ?? undefined,
    valid: testcase.expected_result === "SUCCESS",
  }));
}

/** The ten cases for TLS clients: each can be the chain of a `tls_client_auth` client as it is. */
export async function readLimboClientCases(): Promise<LimboCase[]> {
  return (await readLimboCases()).filter(({ purpose }) => purpose === "sslclient");
}

export async function readLimboExpectations(): Promise<ReadonlyMap<string, LimboExpectation>> {
  const table = (await readVectors("limbo-194-openssl.json")) as Readonly<Record<string, LimboExpectation>>;
  return new Map(Object.entries(table));
}

async function readVectors(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
}
