import { existsSync, readFileSync } from "node:fs";
import * as metaSchema from "@open-rpc/meta-schema";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { BASE_PATH, OPERATION_NAMES, OPERATIONS, type Operation, type OperationName } from "../../shared/operations.ts";
import { repository } from "../support/repository.ts";
import { documents } from "./documents.ts";
import { EXAMPLES } from "./examples.ts";
import { openapi } from "./openapi.ts";
import { openrpc } from "./openrpc.ts";
import { protocolPage } from "./protocolPage.ts";
import { dress, restRequest } from "./rest.ts";

const rest = openapi();
const rpc = openrpc();
const page = protocolPage();

const DRAFT_7 = "http://json-schema.org/draft-07/schema#"; // stands in for the meta-schema that nobody serves

test.each(Object.entries(documents()))("docs/%s is up to date (else: npm run docs)", (name, content) => {
  const path = `${repository}docs/${name}`;
  expect(existsSync(path) && readFileSync(path, "utf8") === content).toBe(true);
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
    for (const [schema, value] of schemasFor(name)) {
      ajv.validate(schema, value);
      expect(ajv.errorsText()).toBe("No errors");
    }
  });
});

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(rest, "openapi").addSchema(rpc, "openrpc");

/** Each place in the documents that describes something of an operation, and the example's value for it. */
function schemasFor(name: OperationName): [schema: object, value: unknown][] {
  const { params, result } = EXAMPLES[name];
  const { method, paths, shape } = (OPERATIONS[name] as Operation).rest;
  const index = (rpc.methods as { name: string }[]).findIndex((one) => one.name === name);
  const pointer = `${BASE_PATH}${paths[0].replace(/:(\w+)/g, "{$1}")}`.replaceAll("/", "~1");
  const path = `openapi#/paths/${encodeURIComponent(pointer)}/${method.toLowerCase()}`;
  const { body } = restRequest(OPERATIONS[name], params);
  const content = "content/application~1json/schema";
  return [
    [{ $ref: `openrpc#/methods/${index}/result/schema` }, result],
    [{ $ref: `${path}/responses/200/${content}` }, dress(shape, result)],
    ...(body ? [[{ $ref: `${path}/requestBody/${content}` }, body] as [object, unknown]] : []),
  ];
}

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
