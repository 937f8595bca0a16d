import { readFileSync } from "node:fs";
import { serverTimeouts } from "certbound/node";

export const tls = {
  ...serverTimeouts,
  cert: readFileSync("server.pem"),
  key: readFileSync("server-key.pem"),
  requestCert: true,
  rejectUnauthorized: false,
};

export {};
