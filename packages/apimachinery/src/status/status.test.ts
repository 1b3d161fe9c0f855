import { describe, expect, it } from 'vitest';
import { ApiError } from './api-error.js';
import { genericServerResponse } from './generic-response.js';
import { isConflict, isExpired, isGone, isNotFound, isTooManyRequests } from './predicates.js';

const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };

describe('ApiError', () => {
  it.each([
    [ApiError.notFound(pods, 'a'), 404, 'NotFound', 'pods "a" not found'],
    [ApiError.alreadyExists(deployments, 'a'), 409, 'AlreadyExists', 'deployments.apps "a" already exists'],
    [ApiError.forbidden(pods, 'a', 'no'), 403, 'Forbidden', 'pods "a" is forbidden: no'],
    [ApiError.forbidden(pods, '', 'no'), 403, 'Forbidden', 'pods is forbidden: no'],
    [ApiError.forbidden(undefined, '', 'no'), 403, 'Forbidden', 'forbidden: no'],
    [ApiError.unauthorized(), 401, 'Unauthorized', 'not authorized'],
    [
      ApiError.conflict(pods, 'a'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [ApiError.methodNotSupported(pods, 'patch'), 405, 'MethodNotAllowed', 'patch is not supported on resources of kind "pods"'],
    [
      ApiError.serverTimeout(pods, 'create', 2),
      500,
      'ServerTimeout',
      'The create operation against pods could not be completed at this time, please try again.',
    ],
    [ApiError.internalError('x'), 500, 'InternalError', 'Internal error occurred: x'],
    [ApiError.timeout('x', 1), 504, 'Timeout', 'Timeout: x'],
    [ApiError.expired('old'), 410, 'Expired', 'old'],
  ])('%#: %s', (error, code, reason, message) => {
    expect([error.code, error.reason, error.message]).toEqual([code, reason, message]);
  });

  it('lists what is invalid, once each, with causes', () => {
    const required = { type: 'FieldValueRequired', field: 'spec.a', message: 'Required value' } as const;
    const error = ApiError.invalid({ group: 'apps', kind: 'Deployment' }, 'web', [
      required,
      required,
      { type: 'FieldValueInvalid', field: 'spec.b', message: 'Invalid value: 1: no' },
    ]);
    expect(error.message).toBe('Deployment.apps "web" is invalid: [spec.a: Required value, spec.b: Invalid value: 1: no]');
    expect(error.status.details).toEqual({
      name: 'web',
      group: 'apps',
      kind: 'Deployment',
      causes: [
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.a' },
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.a' },
        { reason: 'FieldValueInvalid', message: 'Invalid value: 1: no', field: 'spec.b' },
      ],
    });
    expect(ApiError.invalid({ group: '', kind: 'Pod' }, 'p', [required]).message).toBe('Pod "p" is invalid: spec.a: Required value');
  });

  it('is recognised by reason, in a chain of causes, and by code when the reason is unknown', () => {
    expect(isNotFound(new Error('outer', { cause: ApiError.notFound(pods, 'a') }))).toBe(true);
    expect(isConflict(ApiError.alreadyExists(pods, 'a'))).toBe(false);
    expect(isConflict(ApiError.of(409, 'Odd', 'x'))).toBe(true);
    expect([isExpired(ApiError.expired('x')), isGone(ApiError.expired('x')), isGone(ApiError.gone('x'))]).toEqual([true, false, true]);
    expect(isTooManyRequests(ApiError.of(429, 'Other', 'x'))).toBe(true);
    expect(isNotFound(new Error('x'))).toBe(false);
  });
});

describe('genericServerResponse', () => {
  it('says what the code says', () => {
    expect(genericServerResponse({ code: 409, method: 'POST', resource: deployments, name: 'x', serverMessage: '' })).toMatchObject({
      reason: 'AlreadyExists',
      message: 'the server reported a conflict (post deployments.apps x)',
    });
    expect(genericServerResponse({ code: 418, method: 'GET', serverMessage: 't' })).toMatchObject({
      reason: 'Unknown',
      message: 'the server responded with the status code 418 but did not return more information',
    });
    expect(genericServerResponse({ code: 500, method: 'GET', serverMessage: 'oops' })).toMatchObject({
      reason: 'InternalError',
      message: 'an error on the server ("oops") has prevented the request from succeeding',
    });
  });
});
