/**
 * The users of the example authorization server: names, scrypt hashes of passwords, and claims that may be disclosed.
 *
 * A line for a file of your own: USER_PASSWORD=… npm run --silent example -- examples/user-table.ts
 */
import { randomBytes, scryptSync, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import type { Users } from "certbound/authorization-server";
import { createLoginThrottle } from "./login-throttle.ts";

interface User {
  readonly username: string;
  readonly subject: string;
  /** Salt and scrypt hash, base64url, a dot between them. */
  readonly password: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

const octets = 32;
const derive = promisify<string, Buffer, number, Buffer>(scrypt);

function hashed(password: string): string {
  const salt = randomBytes(16);
  return [salt, scryptSync(password, salt, octets)].map((part) => part.toString("base64url")).join(".");
}

const demoUsers = (): User[] => [
  {
    username: "alice",
    subject: "user-alice",
    password: hashed("wonderland"),
    claims: { name: "Alice", email: "alice@example.com", email_verified: true },
  },
  { username: "bob", subject: "user-bob", password: hashed("builder"), claims: { name: "Bob" } },
];

/** The users of a JSON file (a list of `User`), or two users to try: alice (wonderland) and bob (builder). */
export function openUserTable(file: string | undefined): Users {
  const users = file === undefined ? demoUsers() : (JSON.parse(readFileSync(file, "utf8")) as User[]);
  // An unknown name takes as long as a wrong password.
  const nobody: User = { username: "", subject: "", password: hashed(randomBytes(32).toString("hex")) };
  const throttle = createLoginThrottle(() => Date.now());
  return {
    async authenticate(username, password, { address }) {
      const retryAfter = throttle.begin(username, address);
      if (retryAfter > 0) return { retryAfter };
      const user = users.find((one) => one.username === username) ?? nobody;
      const [salt = "", hash = ""] = user.password.split(".");
      const derived = await derive(password, Buffer.from(salt, "base64url"), octets);
      if (!timingSafeEqual(derived, Buffer.from(hash, "base64url")) || user === nobody) return undefined;
      throttle.succeeded(username, address);
      return { subject: user.subject };
    },
    claims: (subject) => users.find((user) => user.subject === subject)?.claims ?? {},
  };
}

if (import.meta.main) console.log(hashed(process.env["USER_PASSWORD"] ?? ""));
