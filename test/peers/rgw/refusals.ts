import type { CannedAnswer } from '../swift/swift-answers.ts';

/**
 * Statuses of RGW's errors in the dialect of Swift, by the one word that it sends: what
 * rgw_http_swift_errors does not have is as in rgw_http_s3_errors (src/rgw/rgw_common.cc). An errno that is
 * in neither, such as that of a full pool, is UnknownError.
 */
const STATUSES = {
  EntityTooLarge: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  'Not an SLO manifest': 400,
  AccessDenied: 403,
  Unauthorized: 401,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  BucketAlreadyExists: 409,
  BucketNotEmpty: 409,
  MissingContentLength: 411,
  PreconditionFailed: 412,
  QuotaExceeded: 413,
  InvalidRange: 416,
  UnknownError: 500,
  ServiceUnavailable: 503,
} as const;

/** One of RGW's errors. */
export type RefusalCode = keyof typeof STATUSES;

/** RGW does not do what it was asked for. */
export class Refusal extends Error {
  readonly status: number;

  constructor(code: RefusalCode) {
    super(code === 'Unauthorized' ? 'AccessDenied' : code); // EPERM and EACCES have one word
    this.status = STATUSES[code];
  }
}

/**
 * The answer for a refusal. In plain text only its first value is written, the code
 * (RGWFormatter_Plain::dump_format_va in src/rgw/rgw_formats.cc); in JSON all of it is.
 */
export function refusalAnswer(
  { message, status }: Pick<Refusal, 'message' | 'status'>,
  { json = false, request = 'tx0' } = {},
): CannedAnswer & { status: number } {
  const type = json ? 'application/json' : 'text/plain';
  const all = { Code: message, RequestId: request, HostId: '104d-default-default' };
  return {
    status,
    reason: '',
    headers: { 'Content-Type': `${type}; charset=utf-8`, 'X-Trans-Id': request },
    body: json ? JSON.stringify(all) : message,
  };
}

/** RGW's answer with a status, for a fault door. */
export function rgwAnswer(status: number): CannedAnswer {
  const [code = 'UnknownError'] = Object.entries(STATUSES).find(([, own]) => own === status) ?? [];
  const message = code === 'Unauthorized' ? 'AccessDenied' : code;
  return refusalAnswer({ message, status });
}
