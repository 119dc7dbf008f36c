/** Which hub, and who calls, by the environment; empty variables count as unset. */
import { validateHeaderValue } from "node:http";
import * as z from "zod";
import { name } from "../../shared/fields.ts";
import { validate } from "../../shared/index.ts";
import { DEFAULT_URL, hubUrl } from "../sdk/options.ts";
import type { HubAccess } from "./restCalls.ts";

const NAMED = z.object({ CLAUDE_ID: name });

/** @throws Error when a variable's value cannot be used. */
export function environment(): HubAccess {
  const { COORDINATION_API_URL, CLAUDE_ID, COORDINATION_TOKEN = "" } = process.env;
  validateHeaderValue("COORDINATION_TOKEN", COORDINATION_TOKEN);
  return {
    url: hubUrl(COORDINATION_API_URL || DEFAULT_URL),
    as: CLAUDE_ID ? validate(NAMED, { CLAUDE_ID }).CLAUDE_ID : undefined,
    token: COORDINATION_TOKEN || undefined,
  };
}

/** @throws Error when this instance has no name. */
export function ownName(): string {
  const { as } = environment();
  if (as === undefined) throw new Error("CLAUDE_ID is not set: set it to this instance's name, or pass the name");
  return as;
}

/** @param detail stands below the text. */
export const warn = (text: string, detail?: string): void => process.emitWarning(text, { ...(detail && { detail }) });
