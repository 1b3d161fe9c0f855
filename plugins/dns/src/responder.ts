import { decode, encode } from 'dns-packet';
import type { Answer, RecordType } from 'dns-packet';
import type { Random } from '@coxswain/sdk';
import type { DnsModel, Lookup } from './dns-model.js';
import type { DnsProtocol, Forwarder } from './forwarder.js';
import { optBytes, recordBytes } from './record-bytes.js';
import { emptyAnswer, RCODE, readAnswer, readQuery } from './wire.js';
import type { WireQuery } from './wire.js';

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  255: 'ANY',
};
const IN = 1;
/** What we offer to take, and the most we send over UDP: fits every network without fragments. */
const UDP_PAYLOAD = 1232;
const MAX_ALIASES = 8;

export function typeName(type: number): string {
  return TYPES[type] ?? `TYPE${type}`;
}

export interface ResponderOptions {
  readonly model: DnsModel;
  readonly forwarder: Forwarder;
  readonly random: Random;
}

export interface Response {
  readonly message: Buffer;
  readonly rcode: number;
  /** Undefined when the query could not be read. */
  readonly query: WireQuery | undefined;
  readonly local: boolean;
}

interface Local {
  readonly rcode: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** From a query's bytes to an answer's: the cluster's names from the model, everything else from other servers. */
export class Responder {
  constructor(readonly options: ResponderOptions) {}

  /** Undefined: not worth an answer (too short, or itself an answer). */
  async respond(message: Buffer, protocol: DnsProtocol): Promise<Response | undefined> {
    if (message.length < 12 || (message.readUInt8(2) & 0x80) !== 0) return undefined;
    const refuse = (rcode: number, query?: WireQuery): Response => ({
      message: emptyAnswer(message, rcode, query ? { questionEnd: query.end } : {}),
      rcode,
      query,
      local: true,
    });
    if (((message.readUInt8(2) >> 3) & 15) !== 0) return refuse(RCODE.notImp);
    const query = readQuery(message);
    if (!query) return refuse(RCODE.formErr);
    if (query.edns && query.edns.version > 0) {
      const local = { rcode: RCODE.badVers, answers: [], authorities: [], additionals: [] };
      return { message: this.#encode(message, query, local, protocol), rcode: RCODE.badVers, query, local: true };
    }
    if (query.class !== IN) return refuse(RCODE.refused, query);
    const lookup = this.options.model.lookup(query.name, typeName(query.type));
    if (lookup.status === 'outside') return this.#forward(message, query, protocol, () => refuse(RCODE.servFail, query));
    const local = await this.#resolve(query, lookup);
    return { message: this.#encode(message, query, local, protocol), rcode: local.rcode, query, local: true };
  }

  async #forward(message: Buffer, query: WireQuery, protocol: DnsProtocol, failed: () => Response): Promise<Response> {
    const answer = await this.options.forwarder.ask(message, query, protocol);
    if (!answer) return failed();
    const rcode = answer.readUInt8(3) & 15;
    if (protocol === 'udp' && answer.length > limitOf(query)) {
      return { message: emptyAnswer(message, rcode, { truncated: true, questionEnd: query.end }), rcode, query, local: false };
    }
    return { message: answer, rcode, query, local: false };
  }

  async #resolve(query: WireQuery, first: Exclude<Lookup, { status: 'outside' }>): Promise<Local> {
    const { model } = this.options;
    const chain: Answer[] = [];
    let lookup: Lookup = first;
    let target = query.name;
    while (lookup.status === 'alias' && chain.length < MAX_ALIASES) {
      chain.push(lookup.answer);
      target = lookup.target;
      lookup = model.lookup(target, typeName(query.type));
    }
    switch (lookup.status) {
      case 'found': {
        const answers = [...chain, ...this.#rotate(lookup.answers)];
        const authorities = answers.length === 0 ? [model.soa()] : [];
        return { rcode: RCODE.noError, answers, authorities, additionals: lookup.additionals };
      }
      case 'no-name':
        return { rcode: RCODE.nxDomain, answers: chain, authorities: [model.soa()], additionals: [] };
      case 'outside': {
        const rest = await this.#askFor(target, query.type);
        return { rcode: rest.rcode, answers: [...chain, ...rest.answers], authorities: [], additionals: [] };
      }
      case 'alias':
        // A ring of aliases, or a very long chain.
        return { rcode: RCODE.servFail, answers: [], authorities: [], additionals: [] };
    }
  }

  /** The records of a name elsewhere, for the end of an alias. */
  async #askFor(name: string, type: number): Promise<{ rcode: number; answers: readonly Answer[] }> {
    const known = TYPES[type];
    // Other types: the alias alone is a correct answer, and the client goes on from there.
    if (known === undefined || known === 'ANY') return { rcode: RCODE.noError, answers: [] };
    const message = Buffer.concat([
      encode({ type: 'query', id: 0, flags: 0x0100, questions: [{ name, type: known as RecordType }] }),
      optBytes(UDP_PAYLOAD, 0, false),
    ]);
    message.writeUInt16BE(1, 10);
    const query = readQuery(message);
    if (!query) return { rcode: RCODE.servFail, answers: [] };
    let answer = await this.options.forwarder.ask(message, query, 'udp');
    if (answer && readAnswer(answer)?.truncated) answer = await this.options.forwarder.ask(message, query, 'tcp');
    if (!answer) return { rcode: RCODE.servFail, answers: [] };
    return { rcode: answer.readUInt8(3) & 15, answers: decode(answer).answers ?? [] };
  }

  /** Clients tend to take the first address: let it be another one each time. */
  #rotate(answers: readonly Answer[]): readonly Answer[] {
    if (answers.length < 2) return answers;
    const by = this.options.random.int(answers.length);
    return [...answers.slice(by), ...answers.slice(0, by)];
  }

  #encode(message: Buffer, query: WireQuery, local: Local, protocol: DnsProtocol): Buffer {
    const limit = protocol === 'tcp' ? 65_535 : limitOf(query);
    const opt = query.edns ? optBytes(UDP_PAYLOAD, local.rcode >> 4, query.edns.dnssec) : undefined;
    const parts: Buffer[] = [];
    let size = query.end + (opt?.length ?? 0);
    let truncated = false;
    const add = (records: readonly Answer[], required: boolean): number => {
      let count = 0;
      for (const record of records) {
        if (truncated) break;
        const bytes = recordBytes(record, query.name);
        if (size + bytes.length > limit) {
          truncated = required;
          break;
        }
        parts.push(bytes);
        size += bytes.length;
        count++;
      }
      return count;
    };
    const answers = add(local.answers, true);
    const authorities = add(local.authorities, true);
    const additionals = add(local.additionals, false);
    const head = emptyAnswer(message, local.rcode, { truncated, questionEnd: query.end });
    // We are the authority for these names.
    head.writeUInt8(head.readUInt8(2) | 0x04, 2);
    head.writeUInt16BE(answers, 6);
    head.writeUInt16BE(authorities, 8);
    head.writeUInt16BE(additionals + (opt ? 1 : 0), 10);
    return Buffer.concat(opt ? [head, ...parts, opt] : [head, ...parts]);
  }
}

function limitOf(query: WireQuery): number {
  return query.edns ? Math.max(512, Math.min(query.edns.payload, UDP_PAYLOAD)) : 512;
}
