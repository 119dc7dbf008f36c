import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { runIn as run, withChromium } from "../../support/chromium.ts";
import { repository } from "../../support/repository.ts";
import { Heard, join, startProxied } from "./support.ts";

const bundle = () => readFileSync(`${repository}dist/browser/coordination.js`, "utf8");

describe("the SDK in a browser", () => {
  const openPage = withChromium();

  /** A page of the hub, with the SDK as `sdk`. */
  async function open(url: string): Promise<Page> {
    const page = await openPage(url);
    const source = `new Blob([${JSON.stringify(bundle())}], { type: "text/javascript" })`;
    await page.evaluate(`import(URL.createObjectURL(${source})).then((sdk) => void (globalThis.sdk = sdk))`);
    return page;
  }

  it("connects over a socket, receives what waited and what comes, and works", async () => {
    const { server, proxy, url } = await startProxied();
    const ada = await join(server.url, { as: "ada" });
    await ada.chat("page", "waited");
    const page = await open(url);
    const state = await run(
      page,
      `globalThis.told = [];
      globalThis.hub = await sdk.connect({ url: location.href, as: "page", random: () => 0.02 });
      const { state } = hub;
      hub.on("new", ({ message }) => told.push(message.task));
      hub.work(({ task }) => task.toUpperCase());
      return state;`,
    );
    expect(state).toBe("online");
    const first = await ada.send({ to_claude: "page", task: "before the cut" });
    expect(await first.result()).toMatchObject({ result: "BEFORE THE CUT" });
    proxy.cut();
    const second = await ada.send({ to_claude: "page", task: "after the cut" });
    expect(await second.result()).toMatchObject({ result: "AFTER THE CUT" });
    expect(await run(page, "await hub.close(); return told;")).toEqual(["waited", "before the cut", "after the cut"]);
  });

  it("does the same over HTTP where sockets are blocked", async () => {
    const { server, proxy, url } = await startProxied();
    const ada = await join(server.url, { as: "ada" });
    const heard = new Heard(ada, "completed");
    proxy.faults.refuse = "upgrades";
    const page = await open(url);
    const result = await run(
      page,
      `globalThis.hub = await sdk.connect({ as: "page" }); // the page's own origin
      const task = await hub.send({ to_claude: "ada", task: "x" });
      globalThis.result = task.result();
      return task.id;`,
    );
    await ada.update({ id: result as string, status: "complete", result: "done" });
    await heard.count(1);
    expect(await run(page, "return (await result).result;")).toBe("done");
    expect(await run(page, "await hub.close(); return hub.state;")).toBe("closed");
  });

  it("works over HTTP on more tasks at once than it has connections", async () => {
    const { server, url } = await startProxied();
    const ada = await join(server.url, { as: "ada" });
    const page = await open(url);
    await run(
      page,
      `globalThis.hub = await sdk.connect({ url: location.href, as: "page", transport: "long_poll" });
      hub.on("presence", () => {});
      hub.work(({ task }) => task.toUpperCase(), { concurrency: 10 });`,
    );
    const tasks = await Promise.all(["one", "two"].map((task) => ada.send({ to_claude: "page", task })));
    for (const task of tasks) expect(await task.result()).toMatchObject({ status: "complete" });
    expect(await run(page, "const { total } = await hub.stats(); await hub.close(); return total;")).toBe(2);
  });

  it("tells what the hub refuses", async () => {
    const { url } = await startProxied();
    const page = await open(url);
    const told = await run(
      page,
      `const hub = await sdk.connect({ url: location.href });
      return hub.get({ id: "none" }).catch((error) => [error instanceof sdk.HubError, error.code, error.message]);`,
    );
    expect(told).toEqual([true, "not_found", "Message not found"]);
  });
});
