/** Wrong HTTP: bodies, queries, paths, methods and bytes that are no operation at all. */
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { ask, dial, get } from "../raw.ts";

let hub: TestHub;
let untouched: unknown;

const state = async () => [(await http(`${hub.url}/stats`)).body, (await http(hub.url)).body.data.cursor];

beforeAll(async () => {
  hub = await startHub();
  untouched = await state();
});

interface Wrong {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const JSON_TYPE = { "content-type": "application/json" };
const CHAT = '{"from_claude":"ada","to_claude":"bob","task":"hello","type":"chat"}';

async function expectRefused(wrong: Wrong, code: ErrorCode, sentence?: string | RegExp): Promise<void> {
  const { method = "POST", path = "/message", headers = JSON_TYPE, body } = wrong;
  const answer = await http(hub.url + path, { method, headers, body });
  expect(answer.body).toMatchObject({ success: false, code, error: expect.any(String) });
  expect(answer.status).toBe(ERRORS[code].http);
  expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|\.js:|SQLITE/);
  if (typeof sentence === "string") expect(answer.body.error).toBe(sentence);
  else if (sentence) expect(answer.body.error).toMatch(sentence);
  expect(await state()).toEqual(untouched);
}

describe("a body", () => {
  const NO_OBJECT = "The body must be a JSON object";
  test.each([
    ["that ends too soon", "{", "bad_json"],
    ["with a comma too many", '{"claude_id":"x",}', "bad_json"],
    ["with a number beyond numbers", '{"to_claude":1e400}', "invalid_params"],
    ["that is an array", "[]", "invalid_params", NO_OBJECT],
    ["that is null", "null", "invalid_params", NO_OBJECT],
    ["that is a text", '"hello"', "invalid_params", NO_OBJECT],
    ["with a byte order mark", `\ufeff${CHAT}`, "bad_json"],
    [
      "that is not UTF-8",
      Buffer.from(CHAT.replace("hello", "h\xe9llo"), "latin1"),
      "bad_json",
      "The body is not UTF-8",
    ],
    ["in UTF-16", Buffer.from(CHAT, "utf16le"), "bad_json"],
    ["nested without end", "[".repeat(30_000) + "]".repeat(30_000), "too_deep"],
    ["with a field nested without end", `{"task":${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}}`, "too_deep"],
    ["with __proto__", `${CHAT.slice(0, -1)},"__proto__":{}}`, "invalid_params", "Unknown field: __proto__"],
    ["of 5 MiB", `{"task":"${"x".repeat(5 * 2 ** 20)}"}`, "too_large", /larger than 4194304 bytes/],
    ["that is not there", "", "invalid_params", "Missing field: to_claude"],
  ] as [string, string | Buffer, ErrorCode, (string | RegExp)?][])("%s is refused", (_, body, code, sentence) =>
    expectRefused({ body }, code, sentence),
  );

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""])(
    "of type %j is refused, so that no form of a stranger's page can send it",
    (type) =>
      expectRefused({ body: CHAT, headers: { "content-type": type } }, "bad_json", /Content-Type: application\/json/),
  );

  test.each([
    ["larger unpacked than it may be", gzipSync(Buffer.alloc(8 * 2 ** 20)), "gzip", "too_large"],
    ["not what it says", CHAT, "gzip", "invalid_request"],
    ["packed in an unknown way", CHAT, "lzma", "invalid_request"],
  ] as [string, string | Buffer, string, ErrorCode][])("that is %s is refused", (_, body, encoding, code) =>
    expectRefused({ body, headers: { ...JSON_TYPE, "content-encoding": encoding } }, code),
  );
});

describe("a query", () => {
  test.each([
    ["/messages?limit=1&limit=2", "limit is given twice"],
    ["/messages?status=pending&status=pending", "status is given twice"],
    ["/messages?limit=ten", "limit must be a number"],
    ["/messages?limit=", "limit must be a number"],
    ["/messages?limit=1e2", "limit must be a number"],
    ["/messages?limit=0x10", "limit must be a number"],
    ["/messages?offset=99999999999999999999", "offset must be at most 1000000"],
    ["/messages?limit[]=1", 'Unknown field: limit[] (did you mean "limit"?)'],
    ["/messages?to_cluade=bob", 'Unknown field: to_cluade (did you mean "to_claude"?)'],
    ["/messages?__proto__=1", "Unknown field: __proto__"],
    ["/messages?constructor=1", "Unknown field: constructor"],
    ["/messages?toString=1", "Unknown field: toString"],
    ["/messages?thread_id=%ff", /^thread_id must be/],
    ["/messages?=1", "Unknown field: "],
    ["/stats?verbose=1", "Unknown field: verbose"],
    ["/message/x?fields=id", "Unknown field: fields"],
  ])("%s is refused", (path, sentence) => expectRefused({ method: "GET", path }, "invalid_params", sentence));
});

test("a whole URL as the path is read like any other, whatever host it names", async () => {
  const { status, body } = await ask(
    hub.port,
    get("http://x:99999999/api/coord/messages?limit=1", `Host: localhost:${hub.port}`),
  );
  expect([status, body]).toMatchObject([200, { success: true }]);
});

describe("a path or a method", () => {
  test.each([
    ["GET", "/mesages", "unknown_operation", 'No such path: /mesages (did you mean "/messages"?)'],
    ["GET", "/Messages", "unknown_operation", /did you mean "\/messages"/],
    ["POST", "/message/x/clam", "unknown_operation"],
    ["GET", "/message/x/y/z", "unknown_operation"],
    ["GET", "/message/%E0%A4%A", "invalid_request"],
    ["DELETE", "/messages", "method_not_allowed", "DELETE is not possible here: use GET"],
    ["GET", "/message", "method_not_allowed", "GET is not possible here: use POST"],
    ["PATCH", "/message/x", "method_not_allowed", "PATCH is not possible here: use GET or DELETE or PUT"],
    ["OPTIONS", "/message", "method_not_allowed"],
    ["GET", "/message/x/claim", "method_not_allowed", "GET is not possible here: use POST"],
    ["POST", "", "method_not_allowed", "POST is not possible here: use GET"],
    ["PATCH", "/message/", "method_not_allowed", "PATCH is not possible here: use POST"],
    ["PUT", "/message/", "invalid_params", "The id is missing after the slash: PUT /message/:id"],
    ["DELETE", "/message/", "invalid_params", "The id is missing after the slash: DELETE /message/:id"],
    ["GET", "/message/", "invalid_params", "The id is missing after the slash: GET /message/:id"],
    ["POST", "/message//claim", "invalid_params", "The id is missing after the slash: POST /message/:id/claim"],
    ["PUT", "/template/", "invalid_params", "The name is missing after the slash: PUT /template/:name"],
  ] as [string, string, ErrorCode, (string | RegExp)?][])("%s %s is refused", (method, path, code, sentence) =>
    expectRefused({ method, path, headers: {} }, code, sentence),
  );

  test.each(["x-claude-id", "x-claude-run"])("%s that is no name is refused", async (header) => {
    for (const name of ["", "a b", "*", "x".repeat(129), "b\u00f6b"]) {
      const headers = { [header]: name };
      await expectRefused({ method: "GET", path: "/stats", headers }, "invalid_params", new RegExp(`^${header} must`));
    }
  });

  test.each([
    ["x-claude-roles", "tester, no name", "invalid_params", /^x-claude-roles\.1 must be 1 to 128 of the characters/],
    ["x-claude-roles", Array(33).fill("r").join(), "invalid_params", "x-claude-roles must be at most 32 entries"],
    ["x-claude-about", "{", "bad_json"],
    ["x-claude-about", "[]", "invalid_params", "x-claude-about must be an object"],
    ["x-claude-about", '{"host":"b\u00f6b"}', "invalid_params", /^x-claude-about must be ASCII/],
    ["x-claude-about", '{"roles":["r"]}', "invalid_params", "Unknown field: roles in x-claude-about"],
  ] as [string, string, ErrorCode, (string | RegExp)?][])("%s: %s is refused", (header, value, code, sentence) =>
    expectRefused({ method: "GET", path: "/stats", headers: { [header]: value } }, code, sentence),
  );

  test.each([
    ["DELETE", "/message/x?foo=1", "foo"],
    ["POST", "/message?task=t", "task"],
  ])("%s %s is refused: what changes something takes no query", (method, path, field) =>
    expectRefused({ method, path }, "invalid_params", new RegExp(`^Unknown field in the query: ${field}`)),
  );

  test("an idempotency key said twice, and differently, is refused", async () => {
    const headers = { ...JSON_TYPE, "idempotency-key": "K1" };
    const body = `${CHAT.slice(0, -1)},"idempotency_key":"K9"}`;
    await expectRefused({ body, headers }, "invalid_params", /^idempotency_key differs from the header/);
  });

  test("an id that is another in the body than in the path is refused", async () => {
    const path = "/message/m1/complete";
    await expectRefused({ path, body: '{"id":"m2"}' }, "invalid_params", /^id differs from the one in the path/);
    const same = await http(hub.url + path, { method: "POST", headers: JSON_TYPE, body: '{"id":"m1"}' });
    expect(same).toMatchObject({ status: 404 });
  });

  test("an idempotency key in a header that is none is refused", async () => {
    for (const key of ["", "a b", "x".repeat(201)]) {
      const headers = { ...JSON_TYPE, "idempotency-key": key };
      await expectRefused({ body: CHAT, headers }, "invalid_params", /^idempotency_key must/);
    }
  });
});

describe("bytes", () => {
  const HOST = "Host: localhost";
  test.each([
    ["no HTTP", ["hello"], ""],
    ["another protocol", ["\u0016\u0003\u0001"], ""],
    ["two lengths", ["POST /api/coord/message HTTP/1.1", HOST, "Content-Length: 2", "Content-Length: 3"], "{}"],
    [
      "a length and chunks",
      ["POST /api/coord/message HTTP/1.1", HOST, "Content-Length: 2", "Transfer-Encoding: chunked"],
      "0\r\n\r\n",
    ],
    ["no host", ["GET /api/coord/stats HTTP/1.1"], ""],
    ["a header of 64 KiB", get("/api/coord/stats", HOST, `X-Long: ${"x".repeat(2 ** 16)}`), ""],
    ["a header with a control character", get("/api/coord/stats", HOST, "X-Claude-Id: b\u0000b"), ""],
    ["a method that is none", ["BREW /api/coord/stats HTTP/1.1", HOST], ""],
  ])("that are %s are refused, and the hub answers on", async (_, lines, more) => {
    const { status } = await ask(hub.port, lines, more);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(await state()).toEqual(untouched);
  });

  test("that never come keep nobody waiting", async () => {
    const idle = await Promise.all(Array.from({ length: 200 }, () => dial(hub.port)));
    const slow = await dial(hub.port);
    for (const byte of "GET /api/coord/stats HT") slow.write(byte);
    const half = await dial(hub.port);
    half.write(
      `POST /api/coord/message HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
    );
    expect(await state()).toEqual(untouched);
    half.destroy(); // in the middle of its body
    for (const socket of idle) socket.resetAndDestroy();
    expect(await state()).toEqual(untouched);
  });

  test("of a client that leaves before its answer hurt nobody", async () => {
    const request = `${get("/api/coord/messages", HOST).join("\r\n")}\r\n\r\n`;
    for (let i = 0; i < 50; i++) {
      const socket = await dial(hub.port);
      socket.write(request);
      socket.resetAndDestroy();
    }
    expect(await state()).toEqual(untouched);
  });
});

test("nothing of all this was a fault of the hub's own", () => {
  expect(hub.logged).toEqual([]);
  expect(LIMITS.frame_bytes).toBe(4 * 2 ** 20); // what the bodies above are too large for
});
