import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, refuse } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

interface Container {
  readonly name: string;
  readonly image?: string;
  imagePullPolicy?: string;
}

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;
type Spec = { readonly [list in (typeof LISTS)[number]]?: Container[] } & {
  readonly volumes?: { readonly name: string; readonly image?: { readonly reference?: string; pullPolicy?: string } }[];
};

/** Images are pulled with the credentials of each pod that uses them, so that a node's cache shows nobody what they may not see. */
export function alwaysPullImages(): AdmissionPlugin {
  return {
    name: 'AlwaysPullImages',
    order: AdmissionOrder.alwaysPullImages,
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') && (isFor(request, '', 'pods') || isFor(request, '', 'pods', 'ephemeralcontainers')),
    admit({ object, oldObject }) {
      const spec = object?.spec as Spec | undefined;
      if (!spec || (oldObject && imagesOf(spec) === imagesOf(oldObject.spec as Spec))) return;
      for (const list of LISTS) for (const container of spec[list] ?? []) container.imagePullPolicy = 'Always';
      for (const { image } of spec.volumes ?? []) if (image) image.pullPolicy = 'Always';
    },
    validate(request) {
      const { object, oldObject } = request;
      const spec = object?.spec as Spec | undefined;
      if (!spec || (oldObject && imagesOf(spec) === imagesOf(oldObject.spec as Spec))) return;
      for (const list of LISTS)
        for (const [i, { imagePullPolicy }] of (spec[list] ?? []).entries())
          if (imagePullPolicy !== 'Always')
            refuse(request, `spec.${list}[${i}].imagePullPolicy: Unsupported value: ${JSON.stringify(imagePullPolicy)}: supported values: "Always"`);
    },
  };
}

const imagesOf = (spec: Spec | undefined): string =>
  JSON.stringify([LISTS.map((list) => (spec?.[list] ?? []).map(({ image }) => image)), (spec?.volumes ?? []).map(({ image }) => image?.reference)]);
