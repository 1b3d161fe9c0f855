import type { DeviceClaim, DeviceClass, DeviceSelector, ExactDeviceRequest, FieldError, KubeObject, ResourceClaim, ResourceClaimTemplate } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { CelEnvironment, compile } from '@coxswain/cel';
import type { ResourceHooks } from '../rest/resource-hooks.js';

/** On a namespace whose users may look into devices that others use. */
const ADMIN_ACCESS_LABEL = 'resource.kubernetes.io/admin-access';

type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined;

/** Rules of dynamic resources that need more than the object: expressions that compile, and who may ask for administrative access. */
export function deviceHooks(labelsOf: NamespaceLabels): readonly (readonly [string, ResourceHooks])[] {
  const admin = (object: KubeObject) => labelsOf(object.metadata.namespace ?? '')?.[ADMIN_ACCESS_LABEL] === 'true';
  const claims: ResourceHooks = {
    // What is asked for never changes.
    validate: (object, old) => (old ? [] : validateClaim((object as ResourceClaim).spec.devices, 'spec.devices', admin(object))),
  };
  const templates: ResourceHooks = {
    validate: (object, old) => (old ? [] : validateClaim((object as ResourceClaimTemplate).spec.spec.devices, 'spec.spec.devices', admin(object))),
  };
  const classes: ResourceHooks = {
    validate(object, old) {
      const known = new Set((old as DeviceClass | undefined)?.spec.selectors?.map((s) => s.cel?.expression));
      return validateSelectors((object as DeviceClass).spec.selectors, 'spec.selectors', known);
    },
  };
  return [
    ['resourceclaims.resource.k8s.io', claims],
    ['resourceclaimtemplates.resource.k8s.io', templates],
    ['deviceclasses.resource.k8s.io', classes],
  ];
}

function validateClaim(devices: DeviceClaim | undefined, field: string, admin: boolean): FieldError[] {
  return (devices?.requests ?? []).flatMap(({ exactly, firstAvailable = [] }, i) => {
    const at = `${field}.requests[${i}]`;
    return [
      ...(exactly ? validateExact(exactly, `${at}.exactly`, admin) : []),
      ...firstAvailable.flatMap((sub, j) => validateSelectors(sub.selectors, `${at}.firstAvailable[${j}].selectors`)),
    ];
  });
}

function validateExact({ selectors, adminAccess }: ExactDeviceRequest, at: string, admin: boolean): FieldError[] {
  const errors = validateSelectors(selectors, `${at}.selectors`);
  if (adminAccess && !admin)
    errors.push(
      fieldErrors.forbidden(`${at}.adminAccess`, `admin access to devices requires the \`${ADMIN_ACCESS_LABEL}: true\` label on the containing namespace`),
    );
  return errors;
}

let environment: CelEnvironment | undefined;

function validateSelectors(selectors: readonly DeviceSelector[] | undefined, field: string, known: ReadonlySet<string | undefined> = new Set()): FieldError[] {
  return (selectors ?? []).flatMap(({ cel }, i) => {
    const expression = cel?.expression;
    if (!expression || known.has(expression)) return [];
    try {
      compile((environment ??= new CelEnvironment(['device'])), expression, 'bool');
      return [];
    } catch (error) {
      return [fieldErrors.invalid(`${field}[${i}].cel.expression`, expression, (error as Error).message)];
    }
  });
}
