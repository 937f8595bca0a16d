import { connections, type Bench } from "./bench.ts";
import { introspectionCalls, standardIntrospectionCalls } from "./calls.ts";
import { createDeployment, removeDeployment } from "./deployment.ts";
import { compare } from "./measurement/compare.ts";
import { printComparison } from "./measurement/print.ts";
import { startServer } from "./measurement/server.ts";
import { peerIntrospectionCalls, startPeer } from "./peer.ts";
import { contender, openStage } from "./stage.ts";

const fewTokens = 1000;
const bare = "node:http, sizes of auth/introspection";
const bareStandard = "node:http, sizes of …/standard";
const valid = '"resultCode":"A056001"';
const active = "active=true";
const activeAtPeer = '"active":true';

/**
 * Introspection by the whole backend, compared with bare node:http; each operation with requests and responses of its
 * own size.
 *
 * The target is 0.33 of bare, better 0.40. The number of stored tokens must have no effect.
 */
export const introspection: Bench = async ({ load, deployment, timing, profileInto }) => {
  const few = await createDeployment(fewTokens);
  const stage = openStage();
  try {
    const backend = await stage.add(startServer("backend", deployment, profileInto));
    const small = await stage.add(startServer("backend", few));
    const peer = await stage.add(startPeer(deployment));
    const whole = introspectionCalls(deployment);
    const standard = standardIntrospectionCalls(deployment);
    const atPeer = await peerIntrospectionCalls(peer, deployment);
    const rows = await compare(
      load,
      [
        contender(bare, await stage.addBareFor(backend, whole), whole, valid, bare),
        contender("auth/introspection", backend, whole, valid, bare),
        contender(`auth/introspection, ${fewTokens} tokens`, small, introspectionCalls(few), valid, bare),
        contender(bareStandard, await stage.addBareFor(backend, standard), standard, active, bareStandard),
        contender("auth/introspection/standard", backend, standard, active, bareStandard),
        contender("oidc-provider introspection, in memory", peer, atPeer, activeAtPeer, bareStandard),
      ],
      timing,
    );
    printComparison(`Introspection, ${deployment.tokens} tokens kept, ${connections} connections`, rows);
  } finally {
    await stage.stop();
    await removeDeployment(few);
  }
};
