import type { PodDNSConfig, PodSpec } from '../../generated/types.js';
import { invalid, notSupported, required } from '../errors.js';
import { validateIP } from '../ip.js';
import { isDNS1123SubdomainWithUnderscore } from '../names.js';
import { addSyntax, type Sink } from '../sink.js';

const POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

export function addDnsPolicy(sink: Sink, field: string, policy: string | undefined): void {
  if (!policy) sink.push(required(field));
  else if (!POLICIES.includes(policy)) sink.push(notSupported(field, policy, POLICIES));
}

export function addDnsConfig(sink: Sink, field: string, { dnsPolicy, dnsConfig }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (!dnsConfig) return void sink.push(required(field, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    if ((dnsConfig.nameservers ?? []).length === 0) {
      return void sink.push(required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    }
  }
  if (dnsConfig) addConfig(sink, field, dnsConfig);
}

function addConfig(sink: Sink, field: string, { nameservers = [], searches = [], options = [] }: PodDNSConfig): void {
  if (nameservers.length > 3) sink.push(invalid(`${field}.nameservers`, nameservers, 'must not have more than 3 nameservers'));
  for (const [index, address] of nameservers.entries()) sink.push(...validateIP(address, `${field}.nameservers[${index}]`));
  if (searches.length > 32) sink.push(invalid(`${field}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048) {
    sink.push(invalid(`${field}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'));
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue;
    const name = search.replace(/\.$/, '');
    addSyntax(sink, `${field}.searches[${index}]`, name, isDNS1123SubdomainWithUnderscore(name));
  }
  for (const [index, { name }] of options.entries()) if (!name) sink.push(required(`${field}.options[${index}]`, 'must not be empty'));
}
