/**
 * JSON Schemas made into functions. Compiling takes about a millisecond for a thousand characters, on the thread that
 * everybody waits for: when a batch has compiled a certain amount anew, what needs more is refused, to be asked again. A
 * command that has begun is done. Short schemas are counted apart, so that whoever has long ones is not in their way.
 */
import { createRequire } from "node:module";
import type { Ajv, ValidateFunction } from "ajv";
import QuickLRU from "quick-lru";
import { HubError } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import type { Schema } from "../../../core/parameterSchema.ts";

/** What one batch compiles anew of each length, in characters of the schemas: eight of the longest. */
export const COMPILED_A_BATCH_CHARS = 8 * LIMITS.template_schema_chars;

/** Up to so many characters a schema is short. */
const SHORT_CHARS = 1024;

type Length = "short" | "long";

const require = createRequire(import.meta.url);

export class SchemaCompiler {
  /** Made by the first schema: most hubs start sooner without loading it. */
  #compiler: Ajv | undefined;
  /** Compiled schemas by their text. */
  readonly #compiled = new QuickLRU<string, ValidateFunction>({ maxSize: 100 });
  /** What the batch has compiled, and as the command began. */
  #chars: Record<Length, number> = { short: 0, long: 0 };
  #charsBefore = this.#chars;

  beginBatch(): void {
    this.#chars = { short: 0, long: 0 };
  }

  beginCommand(): void {
    this.#charsBefore = { ...this.#chars };
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
    const length = chars > SHORT_CHARS ? "long" : "short";
    if (this.#charsBefore[length] >= COMPILED_A_BATCH_CHARS) throw tooMuch();
    this.#chars[length] += chars;
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
