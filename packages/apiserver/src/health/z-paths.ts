import { type ZPages, zPageAnswer } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import { textResponse } from '../request/api-request.js';

/** /statusz and /flagz. Authorized as every path that is no resource: `system:monitoring` has them. */
export function zPaths(pages: ZPages, paths: () => readonly string[]): PathHandler {
  return {
    handle({ info, request }) {
      const answer = zPageAnswer(pages, info.path, request.headers.accept as string | undefined, paths());
      if (!answer) return undefined;
      const { 'content-type': contentType, ...headers } = answer.headers;
      const response = textResponse(answer.status, answer.body, contentType);
      return response.type === 'bytes' ? { ...response, headers: { ...response.headers, ...headers } } : response;
    },
  };
}
