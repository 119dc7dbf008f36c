/** Which errors an operation may give, and what they mean. */
import { ERRORS, type ErrorCode } from "../../shared/errors.ts";
import { COMMON_ERRORS, type Operation } from "../../shared/operations/index.ts";

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Errors of the body as such, before an operation looks at it. */
const BODY_ERRORS = ["bad_json", "too_deep"] as const satisfies ErrorCode[];

/** All codes that an operation may answer with, over REST. */
export const errorsOf = ({ errors, rest }: Operation): ErrorCode[] => [
  ...errors,
  ...COMMON_ERRORS,
  ...(rest.method === "POST" || rest.method === "PUT" ? BODY_ERRORS : []),
];

/** Codes grouped by HTTP status, lowest first. */
export function byStatus(codes: readonly ErrorCode[]): [status: number, codes: ErrorCode[]][] {
  const statuses = [...new Set(codes.map((code) => ERRORS[code].http))].sort();
  return statuses.map((status) => [status, codes.filter((code) => ERRORS[code].http === status)]);
}
