/** An answer as Swift gives it (captures 30-bad-token, 60-full-disk; swob's table of answers). */
export interface CannedAnswer {
  reason: string;
  headers: Record<string, string>;
  body: string;
}

const TEXTS: Record<number, [reason: string, text: string]> = {
  401: [
    'Unauthorized',
    'This server could not verify that you are authorized to access the document you requested.',
  ],
  403: ['Forbidden', 'Access was denied to this resource.'],
  408: [
    'Request Timeout',
    'The server has waited too long for the request to be sent by the client.',
  ],
  413: ['Request Entity Too Large', 'The body of your request was too large for this server.'],
  422: ['Unprocessable Entity', 'Unable to process the contained instructions'],
  499: ['Client Disconnect', 'The client was disconnected during request.'],
  500: [
    'Internal Error',
    'The server has either erred or is incapable of performing the requested operation.',
  ],
  503: [
    'Service Unavailable',
    'The server is currently unavailable. Please try again at a later time.',
  ],
};

/** Swift's page for a status; a 401 names the realm, which is the account. */
export function swiftAnswer(status: number, path: string): CannedAnswer {
  const [reason, text] = TEXTS[status] ?? ['Unknown', 'Unknown'];
  const account = path.split('/')[2] ?? 'unknown';
  return {
    reason,
    headers: {
      'Content-Type': 'text/html; charset=UTF-8',
      ...(status === 401 ? { 'Www-Authenticate': `Swift realm="${account}"` } : {}),
    },
    body: `<html><h1>${reason}</h1><p>${text}</p></html>`,
  };
}
