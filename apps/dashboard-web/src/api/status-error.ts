/** One reason among several, as apply conflicts and validation errors give them. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** An answer that is not a success: the API server's `Status`, or what the dashboard says in its form. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly causes: readonly StatusCause[] = [],
  ) {
    super(message);
  }
}

export async function statusError(response: Response): Promise<StatusError> {
  const text = await response.text();
  try {
    const status = JSON.parse(text) as { message?: string; reason?: string; details?: { causes?: StatusCause[] } };
    return new StatusError(response.status, status.reason ?? '', status.message || response.statusText, status.details?.causes ?? []);
  } catch {
    return new StatusError(response.status, '', text.trim() || response.statusText || `HTTP ${response.status}`);
  }
}
