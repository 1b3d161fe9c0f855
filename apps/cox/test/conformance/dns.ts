import { eventually } from '../cluster-fixture.js';
import { type Check, type CheckContext, IMAGE, same, truly, WEB } from './check.js';

/** A name's address by the pod's own resolver and search list (ping says it), other records by nslookup, which has no search list. */
const lookup = async (c: CheckContext, name: string, type: string): Promise<string> => {
  const script = type === '' ? `ping -c 1 -W 1 ${name}` : `nslookup ${type === 'ptr' ? '' : `-type=${type}`} ${name} | tail -n +3`;
  return c.exec('probe', `{ ${script}; } 2>&1; true`);
};

const resolves = (c: CheckContext, name: string, expected: RegExp, type = '') =>
  eventually(`${name} ${type}`, async () => {
    const answer = await lookup(c, name, type);
    truly(expected.test(answer), `${name}: ${answer}`);
  });

async function probe(c: CheckContext): Promise<void> {
  await c.pod('probe');
  await c.running('probe');
}

const literal = (text: string) => new RegExp(text.replaceAll('.', '\\.'));

export const checks: Check[] = [
  {
    name: 'DNS should provide DNS for the cluster',
    async run(c) {
      await probe(c);
      const ip = literal((await c.api.get('/api/v1/namespaces/default/services/kubernetes')).spec.clusterIP);
      await resolves(c, 'kubernetes.default', ip);
      await resolves(c, 'kubernetes.default.svc', ip);
      await resolves(c, 'kubernetes.default.svc.cluster.local', ip);
      await resolves(c, '_https._tcp.kubernetes.default.svc.cluster.local', /443 kubernetes\.default\.svc\.cluster\.local/, 'srv');
      const podIP = (await c.api.get(`${c.core}/pods/probe`)).status.podIP;
      await resolves(c, `${podIP.replaceAll('.', '-')}.${c.ns}.pod.cluster.local`, literal(podIP));
      truly((await c.kubectlRaw(['exec', 'probe', '--', 'nslookup', 'nosuch.default.svc.cluster.local'])).code !== 0, 'a name nobody has');
    },
  },
  {
    name: 'DNS should provide /etc/hosts entries for the cluster; kubelet-managed hosts, host aliases, pod host names',
    async run(c) {
      await c.api.post(`${c.core}/services`, { metadata: { name: 'sub' }, spec: { clusterIP: 'None', selector: { x: 'y' }, ports: [{ port: 80 }] } });
      await c.pod('probe', { hostname: 'me', subdomain: 'sub', hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] }, { labels: { x: 'y' } });
      await c.running('probe');
      const podIP = (await c.api.get(`${c.core}/pods/probe`)).status.podIP;
      const hosts = await c.exec('probe', 'cat /etc/hosts');
      truly(hosts.includes(`${podIP}\tme.sub.${c.ns}.svc.cluster.local\tme`), hosts);
      truly(/123\.45\.67\.89\tfoo\tbar/.test(hosts), hosts);
      same((await c.exec('probe', 'hostname; hostname -f')).trim().split('\n'), ['me', `me.sub.${c.ns}.svc.cluster.local`], 'host names');
      // With the host's network the file is the host's.
      await c.pod('host', { hostNetwork: true });
      await c.running('host');
      truly(!(await c.exec('host', 'cat /etc/hosts')).includes('foo'), 'hosts of a pod in the network of the host');
    },
  },
  {
    name: 'DNS should provide DNS for services; partial qualified names; Hostname and Subdomain of pods',
    async run(c) {
      await probe(c);
      await c.pod(
        'querier',
        { command: WEB, hostname: 'dns-querier-2', subdomain: 'headless', container: { ports: [{ containerPort: 80 }] } },
        { labels: { dns: 'yes' } },
      );
      const ip = literal((await c.running('querier')).status.podIP);
      await c.api.post(`${c.core}/services`, {
        metadata: { name: 'headless' },
        spec: { clusterIP: 'None', selector: { dns: 'yes' }, ports: [{ port: 80, name: 'http', protocol: 'TCP' }] },
      });
      const regular = await c.api.post(`${c.core}/services`, {
        metadata: { name: 'regular' },
        spec: { selector: { dns: 'yes' }, ports: [{ port: 80, name: 'http', protocol: 'TCP' }] },
      });
      const clusterIP = literal(regular.spec.clusterIP);
      for (const suffix of ['', `.${c.ns}`, `.${c.ns}.svc`, `.${c.ns}.svc.cluster.local`]) {
        await resolves(c, `headless${suffix}`, ip);
        await resolves(c, `regular${suffix}`, clusterIP);
        await resolves(c, `dns-querier-2.headless${suffix}`, ip);
      }
      for (const suffix of [`.${c.ns}.svc.cluster.local`]) {
        await resolves(c, `_http._tcp.headless${suffix}`, /80 dns-querier-2\.headless\./, 'srv');
        await resolves(c, `_http._tcp.regular${suffix}`, /80 regular\./, 'srv');
      }
      await resolves(c, regular.spec.clusterIP, /regular\./, 'ptr');
      same((await c.exec('querier', 'timeout 3 wget -q -O - http://$(hostname).headless/')).trim(), 'dns-querier-2', 'own name');
    },
  },
  {
    name: 'DNS should provide DNS for ExternalName services',
    async run(c) {
      await probe(c);
      const at = `${c.core}/services/ext`;
      await c.api.post(`${c.core}/services`, { metadata: { name: 'ext' }, spec: { type: 'ExternalName', externalName: 'foo.example.com' } });
      const name = `ext.${c.ns}.svc.cluster.local`;
      await resolves(c, name, /canonical name = foo\.example\.com/, 'cname');
      await c.api.change(at, (s) => {
        s.spec.externalName = 'bar.example.com';
      });
      await resolves(c, name, /canonical name = bar\.example\.com/, 'cname');
      const changed = await c.api.change(at, (s) => {
        s.spec.type = 'ClusterIP';
        s.spec.externalName = '';
        s.spec.ports = [{ port: 80, name: 'http', protocol: 'TCP' }];
      });
      await resolves(c, name, literal(changed.spec.clusterIP));
    },
  },
  {
    name: 'DNS should support configurable pod DNS nameservers',
    async run(c) {
      await c.pod('none', {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'], options: [{ name: 'ndots', value: '2' }] },
      });
      await c.pod('first', { dnsConfig: { searches: ['extra.local'], options: [{ name: 'ndots', value: '3' }] } });
      await c.pod('default', { dnsPolicy: 'Default' });
      for (const pod of ['none', 'first', 'default']) await c.running(pod);
      same(
        (await c.exec('none', 'cat /etc/resolv.conf')).trim().split('\n').sort(),
        ['nameserver 1.1.1.1', 'options ndots:2', 'search resolv.conf.local'],
        'None',
      );
      const first = await c.exec('first', 'cat /etc/resolv.conf');
      truly(
        first.includes(`search ${c.ns}.svc.cluster.local svc.cluster.local cluster.local`) && /search .*extra\.local/.test(first) && first.includes('ndots:3'),
        first,
      );
      truly(!(await c.exec('default', 'cat /etc/resolv.conf')).includes('cluster.local'), 'Default');
      same((await c.api.get(`${c.core}/pods/none`)).spec.containers[0].image, IMAGE, 'image');
    },
  },
];
