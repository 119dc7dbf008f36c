/**
 * JSON Schemas made into functions. Compiling takes about a millisecond for a thousand characters, on the thread that
 * everybody waits for: when a batch has compiled a certain amount anew, what needs more is refused, to be asked again. A
 * command that has begun is done.
 */
import { createRequire } from "node:module";
import type { Ajv, ValidateFunction } from "ajv";
import QuickLRU from "quick-lru";
import { HubError } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Schema } from "../../../core/parameterSchema.ts";

/** What one batch compiles anew, in characters of the schemas: eight of the longest. */
export const COMPILED_A_BATCH_CHARS = 8 * LIMITS.template_schema_chars;

const require = createRequire(import.meta.url);

export class SchemaCompiler {
  /** Made by the first schema: most hubs start sooner without loading it. */
  #compiler: Ajv | undefined;
  /** Compiled schemas by their text. */
  readonly #compiled = new QuickLRU<string, ValidateFunction>({ maxSize: 100 });
  #charsOfBatch = 0;
  #mayCompile = true;

  beginBatch(): void {
    this.#charsOfBatch = 0;
  }

  beginCommand(): void {
    this.#mayCompile = this.#charsOfBatch < COMPILED_A_BATCH_CHARS;
  }

  /**
   * Compiles a schema, once for as long as it is in use.
   *
   * @throws HubError when it is no JSON Schema, or this batch had compiled enough before this command.
   */
  compile(schema: Schema): ValidateFunction {
    const text = JSON.stringify(schema);
    const check = this.#compiled.get(text) ?? this.#compileAnew(schema, text.length);
    this.#compiled.set(text, check);
    return check;
  }

  #compileAnew(schema: Schema, chars: number): ValidateFunction {
    if (!this.#mayCompile) throw tooMuch();
    this.#charsOfBatch += chars;
    this.#compiler ??= makeCompiler();
    try {
      return this.#compiler.compile(schema);
    } catch (error) {
      const { message } = error as Error;
      throw new HubError("invalid_params", `parameters is no JSON Schema that can be used: ${message}`, {
        field: "parameters",
      });
    } finally {
      this.#compiler.removeSchema(schema); // else it would keep every schema that it ever saw
    }
  }
}

function makeCompiler(): Ajv {
  const { Ajv } = require("ajv") as typeof import("ajv");
  return new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    ownProperties: true,
    logger: false,
    code: { optimize: false }, // optimizing takes as long as all the rest
  });
}

const tooMuch = () =>
  new HubError(
    "too_many_requests",
    "The hub has too many templates' parameters to compile at once: repeat in a moment",
  );
