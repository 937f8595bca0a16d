import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import test from "ava";
import { launchChromium, openWindow } from "./chromium.ts";

const demo = fileURLToPath(new URL("../../examples/demo/demo.ts", import.meta.url));

test("a user signs in with Chromium at the demo's address and gets a token that only its client can use", async (t) => {
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const child = spawn(process.execPath, [...process.execArgv, demo, "--stay"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGTERM"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  while (!output.includes("# end it")) await once(child.stdout, "data");
  const [, website = ""] = /Sign in with a browser: (\S+)/.exec(output) ?? [];

  const { page, complaints } = await openWindow(browser);
  await page.goto(website);
  await page.fill("[name=username]", "alice");
  await page.fill("[name=password]", "wonderland");
  await page.click("[value=login]");
  await page.click("[value=allow]");
  await page.waitForURL(`${website}callback?**`);
  t.is(await page.title(), "Signed in");
  t.regex((await page.textContent("#own")) ?? "", /^with the certificate: 200 \{"hello":/);
  t.is(await page.textContent("#stolen"), 'the same token without it: 401 Bearer error="invalid_token"');
  t.deepEqual(complaints, []);
});
