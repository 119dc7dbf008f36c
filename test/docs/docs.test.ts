import { existsSync, readFileSync } from "node:fs";
import * as metaSchema from "@open-rpc/meta-schema";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/operations/index.ts";
import { repository } from "../support/repository.ts";
import { documents } from "./documents.ts";
import { EXAMPLES } from "./examples.ts";
import { prettyJson } from "./json.ts";
import { protocolPage } from "./protocolPage.ts";
import { dress, restRequest } from "./rest.ts";
import { faults, place, rest, rpc } from "./schemaCheck.ts";

const page = protocolPage();

const DRAFT_7 = "http://json-schema.org/draft-07/schema#"; // stands in for the meta-schema that nobody serves

test.each(Object.entries(documents()))("docs/%s is up to date (else: npm run docs)", (name, content) => {
  const path = `${repository}docs/${name}`;
  expect(existsSync(path) && readFileSync(path, "utf8") === content).toBe(true);
});

test("JSON is written as the formatter would, and means the same", () => {
  const value = {
    empty: [{}, []],
    short: ["a", 1, null, true],
    fits: ["x".repeat(105)],
    long: ["x".repeat(106)],
    objects: [{ a: '"\n' }],
  };
  expect(JSON.parse(prettyJson(value))).toEqual(value);
  expect(prettyJson(value).split("\n")).toEqual([
    "{",
    '  "empty": [',
    "    {},",
    "    []",
    "  ],",
    '  "short": ["a", 1, null, true],',
    `  "fits": ["${"x".repeat(105)}"],`,
    '  "long": [',
    `    "${"x".repeat(106)}"`,
    "  ],",
    '  "objects": [',
    "    {",
    '      "a": "\\"\\n"',
    "    }",
    "  ]",
    "}",
    "",
  ]);
});

test("openapi.json is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(rest));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("openrpc.json is valid OpenRPC", () => {
  const { openrpcDocument } = metaSchema as unknown as { openrpcDocument: object };
  const { $schema, ...schema } = JSON.parse(
    JSON.stringify(openrpcDocument)
      .replaceAll(
        "https://meta.json-schema.tools/#/definitions/JSONSchemaObject/properties/$ref",
        `${DRAFT_7}/properties/$id`,
      )
      .replaceAll("https://meta.json-schema.tools", DRAFT_7),
  );
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  validate(rpc);
  expect(validate.errors).toBeNull();
});

describe.each([
  ["openapi.json", rest],
  ["openrpc.json", rpc],
])("%s", (_, document) => {
  test("refers only to what it holds", () => {
    const broken = references(document).filter((ref) => resolve(document, ref) === undefined);
    expect(broken).toEqual([]);
  });

  test("holds no schema that nothing refers to", () => {
    const used = new Set(references(document));
    const { schemas } = document.components as { schemas: object };
    expect(Object.keys(schemas).filter((name) => !used.has(`#/components/schemas/${name}`))).toEqual([]);
  });
});

test("PROTOCOL.md links only to headings and files that exist", () => {
  const anchors = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => slug(title as string)));
  for (const [, target] of page.matchAll(/\]\(([^)]+)\)/g)) {
    const link = target as string;
    if (link.startsWith("#")) expect(anchors, link).toContain(link.slice(1));
    else expect(existsSync(`${repository}docs/${link}`), link).toBe(true);
  }
});

test("PROTOCOL.md has no two headings with one anchor, and says what every field means", () => {
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => slug(title as string));
  expect(anchors.filter((anchor, i) => anchors.indexOf(anchor) < i)).toEqual([]);
  expect(page.match(/^\| `\w+\??` \|.*\| +\|$/gm)).toBeNull();
});

describe.each(OPERATION_NAMES)("the example of %s", (name) => {
  const { params, result } = EXAMPLES[name];

  test("is what the hub would accept and answer", () => {
    expect(OPERATIONS[name].params.parse(params)).toEqual(params);
    expect(OPERATIONS[name].result.parse(result)).toEqual(result);
  });

  test("fits the documents' schemas", () => {
    const { shape } = OPERATIONS[name].rest;
    const { body } = restRequest(OPERATIONS[name], params);
    expect(faults(place.result(name), result)).toBe("");
    expect(faults(place.answer(name, 200), dress(shape, result))).toBe("");
    if (body) expect(faults(place.body(name), body)).toBe("");
  });
});

/** Every `$ref` of a document. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}

function resolve(document: unknown, ref: string): unknown {
  if (!ref.startsWith("#/")) return undefined;
  let at = document;
  for (const step of ref.slice(2).split("/"))
    at = (at as Record<string, unknown> | undefined)?.[decodeURIComponent(step)];
  return at;
}

const slug = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
