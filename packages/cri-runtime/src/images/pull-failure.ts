import { CriError, type RpcCodeName } from '@coxswain/cri';
import { OciError } from '@coxswain/oci';

const CODES: Partial<Record<OciError['code'], RpcCodeName>> = { 'not-found': 'notFound', 'invalid-reference': 'invalidArgument' };

/** A pull's error as CRI tells it: the registry's with its code, others as they are. */
export function pullFailure(image: string, error: unknown): unknown {
  if (!(error instanceof OciError)) return error;
  return new CriError(CODES[error.code] ?? 'unknown', `failed to pull and unpack image ${JSON.stringify(image)}: ${error.message}`, { cause: error });
}
