import { describe, expect, it } from "vitest";
import { fromResponse, toRequest } from "../../../../client/sdk/rest/rest.ts";

const BASE = "http://hub/api/coord";

describe("a request", () => {
  it("puts the parameters of a read into the query, left-out ones nowhere", () => {
    expect(toRequest(BASE, "list", { to_claude: "*", status: "pending", limit: undefined })).toEqual({
      method: "GET",
      url: `${BASE}/messages?to_claude=*&status=pending`,
    });
  });

  it("puts path parameters into the path, encoded, and the rest into the body", () => {
    expect(toRequest(BASE, "complete", { id: "a/b", result: "ok", attempt: 2 })).toEqual({
      method: "POST",
      url: `${BASE}/message/a%2Fb/complete`,
      body: '{"result":"ok","attempt":2}',
    });
  });

  it("has no body where nothing is to be said", () => {
    expect(toRequest(BASE, "delete", { id: "a1" })).toEqual({ method: "DELETE", url: `${BASE}/message/a1` });
    expect(toRequest(BASE, "info", {})).toEqual({ method: "GET", url: BASE });
  });

  it("takes the most particular path whose parameters are given", () => {
    expect(toRequest(BASE, "presence", { since: 3 }).url).toBe(`${BASE}/presence?since=3`);
    expect(toRequest(BASE, "presence", { claude_id: "ada" }).url).toBe(`${BASE}/presence/ada`);
  });

  it.each(["..", ".", "", "\ud800"])("never has %j in its path", (value) => {
    expect(toRequest(BASE, "presence", { claude_id: value }).url).toMatch(/presence\?claude_id=/);
    const code = value === "" || value === "\ud800" ? "invalid_params" : "not_found";
    for (const operation of ["get", "update", "delete", "claim", "retry", "attempts"] as const) {
      const said = { id: value, ...(operation === "update" && { status: "pending" }) };
      const refusal = expect.objectContaining({ name: "HubError", code });
      expect(() => toRequest(BASE, operation, said), operation).toThrow(refusal);
    }
  });

  it("leaves the caller's parameters as they are", () => {
    const params = { id: "a1", attempt: 1 };
    toRequest(BASE, "release", params);
    expect(params).toEqual({ id: "a1", attempt: 1 });
  });
});

describe("a response", () => {
  it("is undressed into the operation's result", () => {
    const message = { id: "a1" };
    expect(fromResponse("get", {}, { success: true, data: message })).toBe(message);
    expect(fromResponse("send", {}, { success: true, data: message, recipient: {}, deduplicated: true })).toEqual({
      message,
      recipient: {},
      deduplicated: true,
    });
    const list = { success: true, count: 1, data: [message], cursor: "c", next: "n" };
    expect(fromResponse("list", {}, list)).toEqual({ messages: [message], count: 1, cursor: "c", next: "n" });
    expect(fromResponse("delete", { id: "a1" }, { success: true, message: "Message deleted: a1" })).toEqual({
      id: "a1",
      deleted: true,
    });
    const beat = { success: true, timestamp: "t", claude_id: "ada" };
    expect(fromResponse("heartbeat", {}, beat)).toEqual({ timestamp: "t", claude_id: "ada" });
  });

  it("throws what the hub refused", () => {
    const refusal = { success: false, error: "Message not found", code: "not_found", details: { id: "a1" } };
    expect(() => fromResponse("get", {}, refusal)).toThrow(
      expect.objectContaining({ name: "HubError", code: "not_found", details: { id: "a1" } }),
    );
  });

  it("is no refusal when it did not come from a hub", () => {
    expect(() => fromResponse("get", {}, { message: "Bad gateway" })).toThrow(
      expect.objectContaining({ code: "connection_lost" }),
    );
  });
});
