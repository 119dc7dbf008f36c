import { describe, expect, it } from "vitest";
import { startHub } from "../../support/hub.ts";
import { CoordInside, runInside, shell } from "./coord.ts";

const DEFINITION = {
  description: "One feed",
  parameters: {
    type: "object",
    properties: {
      feed: { type: "string" },
      hours: { type: "integer", default: 24 },
      tags: { type: "array", items: { type: "string" } },
      mode: { enum: ["1", 1, "fast"] },
    },
    required: ["feed"],
  },
  message: { to_claude: "bob", task: "scrape {{feed}}, {{hours}} h", priority: "high" },
};

async function scene() {
  const { url } = await startHub();
  const ada = shell(url, "ada");
  const put = (name: string, definition: object) =>
    runInside(["template", "put", name, "-"], { url, as: "ada", input: JSON.stringify(definition) });
  await put("scrape", DEFINITION);
  return { url, ada, put };
}

describe("coord template", () => {
  it("puts what stdin says, shows it so that it can be put again, lists and deletes", async () => {
    const { ada, put } = await scene();
    const shown = await ada("template", "show", "scrape", "--json");
    expect(shown.json).toMatchObject({ name: "scrape", ...DEFINITION, updated_by: "ada" });
    expect(await put("copy", shown.json)).toMatchObject({ code: 0, stdout: "copy is kept\n" });
    const list = (await ada("template", "list")).stdout;
    expect(list).toMatch(/^NAME +KIND +CHANGED +BY +DESCRIPTION\ncopy +message .* ada +One feed\nscrape +message /);
    expect((await ada("template", "show", "copy")).stdout).toMatch(
      /^copy\nOne feed\nchanged .* by ada\n\n\{\n {2}"parameters"/,
    );
    expect((await ada("template", "delete", "copy")).stdout).toBe("copy is deleted\n");
    const gone = await ada("template", "show", "copy");
    expect([gone.code, gone.stderr]).toEqual([1, "error: There is no template copy\n"]);
  });

  it.each([
    [["template", "draw"], "draw is not one of: list, show, put, delete"],
    [["template", "show"], "missing required argument 'name'"],
    [["template", "put", "x"], "missing required argument 'definition'"],
    [["template", "put", "x", "{"], "the template is not JSON: "],
    [["template", "put", "x", "[]"], "the template must be a JSON object with a message or steps"],
    [["template", "put", "x y", "{}"], "<name> must be 1 to 128 of the characters"],
    [["template", "put", "x", '{"mesage":{}}'], 'Unknown field: mesage (did you mean "message"?)'],
    [["template", "put", "x", '{"message":{"type":"x"}}'], "Invalid message.type. Must be one of: chat, task"],
    [["template", "put", "x", '{"message":{"name":"y"}}'], "Unknown field: name in message"],
    [["template", "put", "x", '{"message":{"piority":"low"}}'], 'piority in message (did you mean "priority"?)'],
    [["send", "--param", "a=1"], "--param goes with --template: say which"],
    [["send", "--template", "t", "--param", "a"], "It must be NAME=VALUE."],
    [["template", "list", "x"], "too many arguments for 'list'"],
    [["template", "delete", "x", "{}"], "too many arguments for 'delete'"],
    [["send"], "missing required argument 'to'"],
  ])("%j is a wrong command line: %s", async (args, says) => {
    const { code, stderr } = await runInside(args, { as: "ada" });
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
  });
});

describe("coord send --template", () => {
  it("fills the parameters: texts as they are, others as the schema wants them", async () => {
    const { ada } = await scene();
    const args = ["--param", "feed=a=b 7", "--param", "hours=2", "--param", 'tags=["x"]', "--param", "mode=1"];
    const { json } = await ada("send", "--template", "scrape", ...args, "--json");
    expect(json.message).toMatchObject({ to_claude: "bob", task: "scrape a=b 7, 2 h", priority: "high" });
    const beside = await ada(
      "send",
      "eve",
      "said",
      "--template",
      "scrape",
      "--param",
      "feed=7",
      "--priority",
      "low",
      "--json",
    );
    expect(beside.json.message).toMatchObject({ to_claude: "eve", task: "said", priority: "low" });
  });

  it("tells what is wrong with them", async () => {
    const { ada } = await scene();
    const send = async (...params: string[]) => {
      const { code, stderr } = await ada("send", "--template", "scrape", ...params.flatMap((one) => ["--param", one]));
      return [code, stderr.split("\n")[0]];
    };
    expect(await send()).toEqual([1, "error: Missing parameter: feed"]);
    expect(await send("fed=x")).toEqual([1, 'error: Unknown parameter: fed (did you mean "feed"?)']);
    expect(await send("feed=x", "hours=soon")).toEqual([2, "error: --param hours must be JSON (integer)"]);
    expect(await send("feed=x", "hours=1.5")).toEqual([1, "error: Parameter hours must be integer"]);
    expect((await ada("stats", "--json")).json.total).toBe(0);
  });

  it("tells the ids of a macro's messages, the one that stands for all last", async () => {
    const { url, ada, put } = await scene();
    const steps = ["one", "two"].map((key) => ({ key, template: "scrape", params: { feed: key } }));
    await put("both", { steps });
    const { messages, message } = (await ada("send", "--template", "both", "--json")).json;
    expect(messages.map(({ id }: { id: string }) => id).at(-1)).toBe(message.id);
    const idLines = /^[0-9a-f]{32}\n[0-9a-f]{32}\n$/;
    expect((await ada("send", "--template", "both")).stdout).toMatch(idLines);
    expect((await ada("send", "--template", "both", "--wait", "stored")).stdout).toMatch(idLines);
    const late = await ada("send", "--template", "both", "--wait", "claimed", "--wait-timeout", "50ms");
    expect(late.stderr).toMatch(/^[0-9a-f]{32}\n([0-9a-f]{32})\n.*\nerror: \1 is not claimed/);
    const waiting = new CoordInside(["send", "--template", "both", "--wait", "claimed"], { url, as: "ada" });
    await waiting.prints(/^[0-9a-f]{32}\n([0-9a-f]{32})\n/, "stderr");
    await runInside(["claim", waiting.stderr.split("\n")[1] as string], { url, as: "bob" });
    expect([await waiting.ended, waiting.stdout]).toEqual([0, expect.stringMatching(idLines)]);
  });
});
