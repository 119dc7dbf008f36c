import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ERRORS } from "../../shared/errors.ts";
import {
  COMMON_ERRORS,
  isOperation,
  OPERATION_NAMES,
  OPERATIONS,
  type Operation,
} from "../../shared/operations/index.ts";

const table = Object.entries<Operation>(OPERATIONS);
const pathParameters = (path: string) => [...path.matchAll(/:(\w+)/g)].map((match) => match[1] as string);
const tooLong = "x".repeat(2 ** 21);

/** Whether a value can be refused as `too_large`: some parameter is text with a limit in bytes. */
const takesText = (operation: Operation) =>
  textsOf(operation.params).some((schema) =>
    schema.safeParse(tooLong).error?.issues.some((issue) => issue.code === "custom" && issue.params?.too_large),
  );

/** The parameters, and the fields of those that are objects. */
const textsOf = (params: z.ZodObject): z.ZodType[] =>
  Object.values(params.shape as Record<string, z.ZodType>).flatMap((schema) =>
    schema instanceof z.ZodObject ? textsOf(schema) : [schema],
  );

describe.each(table)("%s", (_, operation) => {
  const { params, rest, errors, repeat, summary } = operation;
  const shape: Record<string, z.ZodType> = params.shape;

  test("takes every parameter of its paths", () => {
    for (const path of rest.paths) expect(Object.keys(shape)).toEqual(expect.arrayContaining(pathParameters(path)));
  });

  test("documents itself and each parameter", () => {
    expect(summary).toMatch(/^[A-Z].*\.$/);
    for (const [name, schema] of Object.entries(shape)) expect(schema.description, name).toMatch(/\.$|\)\.$/);
  });

  test("refuses unknown parameters", () => {
    const issues = params.safeParse({ unknown_parameter: 1 }).error?.issues ?? [];
    expect(issues.some((issue) => issue.code === "unrecognized_keys")).toBe(true);
  });

  test("names errors that exist, each once", () => {
    const all = [...COMMON_ERRORS, ...errors];
    for (const code of all) expect(Object.hasOwn(ERRORS, code), code).toBe(true);
    expect(new Set(all).size).toBe(all.length);
  });

  test("names the errors that its parameters make possible", () => {
    expect(errors.includes("too_large")).toBe(takesText(operation));
    if ("id" in shape) expect(errors).toContain("not_found");
    if ("after" in shape) expect(errors).toContain(repeat === "read" ? "cursor_lost" : "not_found");
    if ("idempotency_key" in shape) expect(errors).toContain("idempotency_conflict");
    if ("attempt" in shape) expect(errors).toContain("lease_lost");
    if (repeat !== "read") expect(errors).toEqual(expect.arrayContaining(["storage_full", "storage_unavailable"]));
  });

  test("is safe to repeat in the way that it says", () => {
    expect(rest.method === "GET").toBe(repeat === "read");
    const isClaim = "status" in shape && "claim_key" in shape; // an update to in_progress
    expect(Object.keys(shape).some((name) => name.endsWith("_key"))).toBe(repeat === "keyed" || isClaim);
  });

  test("can be asked over a URL, where it is a GET", () => {
    if (rest.method !== "GET") return;
    const readable = ["string", "integer", "number", "boolean", "array"]; // an array of words: commas between them
    const { properties = {} } = z.toJSONSchema(params, { io: "input" });
    for (const [name, property] of Object.entries(properties)) {
      const { type, anyOf = [{ type }] } = property as z.core.JSONSchema.JSONSchema;
      for (const one of anyOf) expect(readable, name).toContain((one as { type: string }).type);
    }
  });
});

test("no two operations share a method and a path", () => {
  const routes = table.flatMap(([, { rest }]) =>
    rest.paths.map((path) => `${rest.method} ${path.replace(/:\w+/g, ":")}`),
  );
  expect(new Set(routes).size).toBe(routes.length);
});

test("the document's seven routes stand", () => {
  const routes = table.flatMap(([, { rest }]) => rest.paths.map((path) => `${rest.method} ${path}`));
  expect(routes).toEqual(
    expect.arrayContaining([
      "POST /message",
      "GET /messages",
      "GET /message/:id",
      "PUT /message/:id",
      "DELETE /message/:id",
      "GET /stats",
      "POST /heartbeat",
    ]),
  );
});

test("isOperation knows the table and nothing that objects inherit", () => {
  expect(OPERATION_NAMES.every(isOperation)).toBe(true);
  for (const name of ["toString", "__proto__", "constructor", "hello", "", "Send"])
    expect(isOperation(name)).toBe(false);
});
