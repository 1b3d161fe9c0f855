import type { ApiServerRuntime } from '@coxswain/sdk';
import { ApiServerDefinitionError, defineApiServer } from '@coxswain/sdk';
import { CustomServer } from './custom-api-server.js';
import type { CustomServerEnv } from './custom-api-server.js';
import { kindProblems } from './kind-registration.js';

/** Makes custom API servers of definitions, on the pipeline of this package. */
export function apiServerRuntime(env: CustomServerEnv): ApiServerRuntime {
  return {
    serve(given, options) {
      const definitions = (Array.isArray(given) ? given : [given]).map(defineApiServer);
      const [first] = definitions;
      if (!first) throw new ApiServerDefinitionError('', ['at least one group version is needed']);
      const problems = definitions.flatMap((definition) => definition.kinds.flatMap((kind) => kindProblems(definition, kind)));
      const seen = new Set<string>();
      for (const { group, version } of definitions) {
        if (seen.has(`${group}/${version}`)) problems.push(`${group}/${version} is defined twice`);
        seen.add(`${group}/${version}`);
      }
      if (problems.length > 0) throw new ApiServerDefinitionError(first.name, problems);
      return new CustomServer(definitions, options, env);
    },
  };
}
