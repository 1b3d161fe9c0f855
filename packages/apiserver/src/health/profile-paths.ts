import { pipeline } from 'node:stream';
import { profileAnswer } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import { textResponse } from '../request/api-request.js';

/** /debug/pprof/: profiles of this process. Authorized as every path that is no resource. */
export const profilePaths: PathHandler = {
  handle({ info, query, request }) {
    if (!info.path.startsWith('/debug/pprof')) return undefined;
    return profileAnswer(info.path, query, request.signal).then((answer) => {
      if (!answer) return textResponse(404, '404 page not found\n');
      const { status, contentType, body, file } = answer;
      if (typeof body === 'string') return textResponse(status, body, contentType);
      if (!request.raw) {
        body.destroy();
        return textResponse(501, 'this profile needs a connection of its own\n');
      }
      const headers = { 'content-type': contentType, ...(file && { 'content-disposition': `attachment; filename="${file}"` }) };
      pipeline(body, request.raw.respond(status, headers), () => {});
      return { type: 'handled', status };
    });
  },
};
