/** Who is calling, by the headers of a request: a label, as long as there are no tokens. */
import type { Request } from "express";
import * as z from "zod";
import { HubError } from "../../../shared/errors.ts";
import { name, run } from "../../../shared/fields.ts";
import { parseJson } from "../../../shared/json.ts";
import { type About, about } from "../../../shared/presence.ts";
import { validate } from "../../../shared/validate.ts";
import type { Client } from "../../hub/caller/client.ts";
import { originOf } from "../../hub/caller/origin.ts";
import type { Cancellation } from "../../hub/cancellation.ts";

const HEADERS = z.object({
  "x-claude-id": name.optional(),
  "x-claude-run": run.optional(),
  "x-claude-roles": about.shape.roles,
  "x-claude-about": about.omit({ roles: true }).optional(),
});

export function clientOf(request: Request, gone?: Cancellation): Client {
  const said = validate(HEADERS, {
    "x-claude-id": request.get("x-claude-id"),
    "x-claude-run": request.get("x-claude-run"),
    "x-claude-roles": rolesIn(request.get("x-claude-roles")),
    "x-claude-about": jsonIn(request.get("x-claude-about")),
  });
  return {
    claude_id: said["x-claude-id"] ?? null,
    run: said["x-claude-run"] ?? null,
    about: whole(said["x-claude-about"], said["x-claude-roles"]),
    origin: originOf(request.socket),
    ...(gone && { gone }),
  };
}

const whole = (rest: About | undefined, roles: About["roles"]): About | undefined =>
  rest || roles ? { ...rest, ...(roles && { roles }) } : undefined;

function rolesIn(header: string | undefined): string[] | undefined {
  const named = header?.split(",").map((role) => role.trim());
  return named?.filter((role) => role !== "");
}

/** Nobody agrees on how other characters travel in a header. */
const ASCII = /^[\x20-\x7e]*$/;

function jsonIn(header: string | undefined): unknown {
  if (header === undefined || ASCII.test(header)) return header && parseJson(header);
  throw new HubError(
    "invalid_params",
    "x-claude-about must be ASCII: write other characters as \\u and four hex digits",
    {
      field: "x-claude-about",
    },
  );
}
