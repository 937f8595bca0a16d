import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** `CHROMIUM`, or the first of the usual names on PATH. */
function findChromium(): string {
  const { CHROMIUM: given, PATH: path = "" } = process.env;
  if (given !== undefined && given !== "") return given;
  for (const folder of path.split(delimiter)) {
    for (const name of names) {
      try {
        const file = join(folder, name);
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  throw new Error("These tests need Chromium: install it (Debian: chromium), or name it in CHROMIUM.");
}

export async function launchChromium(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findChromium(), headless: true, args });
}

/** A window of somebody's own: cookies and cache are not shared, and whatever goes wrong in it is written down. */
export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What pages wrote to the console, and the errors of their scripts. */
  readonly complaints: string[];
  /** Every address that was asked for. */
  readonly addresses: string[];
}

export async function openWindow(browser: Browser, options: BrowserContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const complaints: string[] = [];
  const addresses: string[] = [];
  context.on("request", (request) => addresses.push(request.url()));
  context.on("console", (message) => complaints.push(message.text()));
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { context, page: await context.newPage(), complaints, addresses };
}
