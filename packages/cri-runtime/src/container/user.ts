import { CriError, SupplementalGroupsPolicy } from '@coxswain/cri';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

export interface UserRequest {
  /** `securityContext.runAsUser`, `runAsUsername`, `runAsGroup`. */
  readonly uid?: number;
  readonly username?: string;
  readonly gid?: number;
  readonly supplementalGroups: readonly number[];
  readonly policy: SupplementalGroupsPolicy;
  /** `User` of the image: `user`, `uid`, `user:group`, `uid:gid`. */
  readonly imageUser: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const lines = (text: string) =>
  text
    .split('\n')
    .filter((l) => l !== '' && !l.startsWith('#'))
    .map((l) => l.split(':'));

const parsePasswd = (text: string): PasswdEntry[] => lines(text).map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
const parseGroup = (text: string): GroupEntry[] =>
  lines(text).map(([name = '', , gid, members = '']) => ({ name, gid: Number(gid), members: members.split(',').filter(Boolean) }));

/** Whom a container runs as, from its request and the image's /etc/passwd and /etc/group. Pure. */
export function resolveUser(request: UserRequest, passwdText: string, groupText: string): ResolvedUser {
  const passwd = parsePasswd(passwdText);
  const groups = parseGroup(groupText);
  if (request.gid !== undefined && request.uid === undefined && !request.username) {
    throw new CriError('invalidArgument', 'user group is specified without user: runAsGroup needs runAsUser or runAsUsername');
  }
  const asked = request.uid !== undefined ? String(request.uid) : request.username || request.imageUser;
  const [who = '', group] = asked.split(':');
  const numeric = /^\d+$/.test(who);
  const entry = who === '' ? passwd.find((p) => p.uid === 0) : numeric ? passwd.find((p) => p.uid === Number(who)) : passwd.find((p) => p.name === who);
  if (!entry && !numeric && who !== '') throw new CriError('invalidArgument', `no such user: unable to find user ${who}: no matching entries in passwd file`);
  const uid = entry?.uid ?? Number(who || 0);
  if (!Number.isInteger(uid) || uid < 0 || uid > 0xfffffffe) throw new CriError('invalidArgument', `user id ${who} is out of range`);
  let gid = entry?.gid ?? 0;
  if (group) {
    const found = /^\d+$/.test(group) ? Number(group) : groups.find((g) => g.name === group)?.gid;
    if (found === undefined) throw new CriError('invalidArgument', `no such group: unable to find group ${group}: no matching entries in group file`);
    gid = found;
  }
  if (request.gid !== undefined) gid = request.gid;
  const fromImage = request.policy === SupplementalGroupsPolicy.Merge && entry ? groups.filter((g) => g.members.includes(entry.name)).map((g) => g.gid) : [];
  const additionalGids = [...new Set([gid, ...fromImage, ...request.supplementalGroups])].sort((a, b) => a - b);
  return { uid, gid, additionalGids };
}
