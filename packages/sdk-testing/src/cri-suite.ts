import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { containerCases } from './cri/container-cases.js';
import { CriBench, type CriSuiteOptions } from './cri/cri-bench.js';
import { imageCases } from './cri/image-cases.js';
import { listCases } from './cri/list-cases.js';
import { runtimeCases } from './cri/runtime-cases.js';
import { securityCases } from './cri/security-cases.js';
import { streamingCases } from './cri/streaming-cases.js';
import { userNamespaceCases } from './cri/user-namespace-cases.js';
import { volumeCases } from './cri/volume-cases.js';

export type { CriSuiteArea, CriSuiteImages, CriSuiteOptions, CriUnderTest } from './cri/cri-bench.js';

/** Conformance of a CRI v1 runtime, over its socket only: the behaviours upstream's validation suite checks, as far as any Linux machine can. */
export function criSuite(options: CriSuiteOptions): void {
  describe(`CRI conformance: ${options.name ?? 'runtime'}`, () => {
    const bench = new CriBench(options);
    beforeAll(() => bench.begin());
    afterEach(() => bench.removePods());
    afterAll(() => bench.end());
    for (const cases of [runtimeCases, containerCases, listCases, volumeCases, imageCases, securityCases, userNamespaceCases, streamingCases]) cases(bench);
  });
}
