import test from "ava";
import { createReloads } from "../../src/cli/reloads.ts";

/** Reloads that last until the test lets each go. */
function heldReloads() {
  const letGo: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const reload = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => letGo.push(resolve));
    running -= 1;
  };
  return { reload, letGo, most: () => most };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is asked before the beginning is done then, once", async (t) => {
  const { reload, letGo } = heldReloads();
  const reloads = createReloads();
  reloads.ask();
  reloads.ask();
  await turn();
  t.is(letGo.length, 0);
  reloads.begin(reload);
  t.is(letGo.length, 1);
  letGo[0]?.();
  await turn();
  t.is(letGo.length, 1);
});

test("one reload at a time; those that are asked for meanwhile are one more, which begins afterwards", async (t) => {
  const { reload, letGo, most } = heldReloads();
  const reloads = createReloads();
  reloads.begin(reload);
  for (let index = 0; index < 100; index++) reloads.ask();
  await turn();
  t.is(letGo.length, 1);
  letGo[0]?.();
  await turn();
  t.is(letGo.length, 2, "the file may have changed after the first one had read it");
  letGo[1]?.();
  await turn();
  t.is(letGo.length, 2);
  t.is(most(), 1);
  reloads.ask();
  t.is(letGo.length, 3, "it goes on");
});

test("the end waits for the reload under way, and none begins after it", async (t) => {
  const { reload, letGo } = heldReloads();
  const reloads = createReloads();
  reloads.begin(reload);
  reloads.ask();
  reloads.ask();
  let ended = false;
  const end = reloads.end().then(() => (ended = true));
  await turn();
  t.false(ended);
  letGo[0]?.();
  await end;
  reloads.ask();
  await turn();
  t.is(letGo.length, 1);
  const unused = createReloads();
  await unused.end();
  unused.ask();
  unused.begin(reload);
  t.is(letGo.length, 1);
});
