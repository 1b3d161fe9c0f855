import type { DeviceAttribute, DeviceConstraint } from '@coxswain/api';
import type { PoolDevice } from './pools.js';
import type { Alternative } from './wanted.js';

/** What must hold of all devices of a claim together. `add` says whether the device may join and, if so, counts it until `remove`. */
export interface ConstraintState {
  add(alternative: Alternative, of: PoolDevice): boolean;
  remove(alternative: Alternative, of: PoolDevice): void;
}

export function constraintState({ requests = [], matchAttribute, distinctAttribute }: DeviceConstraint): ConstraintState {
  const concerned = ({ name, request }: Alternative) => requests.length === 0 || requests.includes(request) || requests.includes(name);
  const attribute = matchAttribute ?? distinctAttribute ?? '';
  const values: string[] = [];
  return {
    add(alternative, of) {
      if (!concerned(alternative)) return true;
      const value = attributeOf(of, attribute);
      if (value === undefined) return false;
      if (matchAttribute ? values.length > 0 && values[0] !== value : values.includes(value)) return false;
      values.push(value);
      return true;
    },
    remove(alternative, of) {
      if (!concerned(alternative)) return;
      const at = values.lastIndexOf(attributeOf(of, attribute) ?? '');
      if (at >= 0) values.splice(at, 1);
    },
  };
}

/** A fully qualified name, or one of the driver's own. Values of different types are never the same. */
function attributeOf({ driver, device }: PoolDevice, name: string): string | undefined {
  const attributes = device.attributes ?? {};
  const own = name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : undefined;
  const found: DeviceAttribute | undefined = attributes[name] ?? (own === undefined ? undefined : attributes[own]);
  if (!found) return undefined;
  const { int, bool, string, version } = found;
  const known = int !== undefined || bool !== undefined || string !== undefined || version !== undefined;
  return known ? JSON.stringify({ int, bool, string, version }) : undefined;
}
