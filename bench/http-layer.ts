import { authIntrospection } from "../src/contract/auth-introspection.ts";
import type { Bench } from "./bench.ts";
import { introspectionCalls } from "./calls.ts";
import { compare } from "./measurement/compare.ts";
import { printComparison } from "./measurement/print.ts";
import { startServer } from "./measurement/server.ts";
import { contender, openStage } from "./stage.ts";

/** The cost of the HTTP layer alone: the operation behind it does nothing. */
export const httpLayer: Bench = async ({ load, deployment, timing }) => {
  const answer = authIntrospection.example.response;
  const calls = introspectionCalls(deployment);
  const stage = openStage();
  const against = async (name: string, server: string, argument: object) =>
    contender(name, await stage.add(startServer(server, argument)), calls, '"resultCode":"A056001"', "node:http");
  try {
    const contenders = [
      await against("node:http", "bare", { answer }),
      await against("the HTTP layer", "http-layer", { answer, level: "info" }),
      await against("the HTTP layer, log silent", "http-layer", { answer, level: "silent" }),
    ];
    printComparison("The HTTP layer alone", await compare(load, contenders, timing));
  } finally {
    await stage.stop();
  }
};
