/** A real browser for the tests of one `describe`. */
import { type Browser, chromium, type Page } from "playwright-core";
import { beforeAll } from "vitest";
import { defer } from "./defer.ts";
import { requires } from "./requires.ts";

/**
 * Starts the machine's Chromium, where there is one; without it the tests around are skipped.
 *
 * @returns what opens a page at an address, and closes it when the test ends.
 */
export function withChromium(): (url: string) => Promise<Page> {
  const executablePath = requires("chromium");
  let browser: Browser;
  beforeAll(async () => {
    if (!executablePath) return;
    browser = await chromium.launch({ executablePath });
    defer(() => browser.close());
  });
  return async (url) => {
    const page = await browser.newPage();
    defer(() => page.close());
    await page.goto(url);
    return page;
  };
}

/** Runs a program in a page. It is a text, because vitest would rewrite a function and its imports. */
export const runIn = (page: Page, program: string) => page.evaluate(`(async () => { ${program} })()`);
