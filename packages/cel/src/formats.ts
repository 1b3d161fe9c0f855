import { isIP, isIPv4, isIPv6 } from 'node:net';
import { names } from '@coxswain/api';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const UUID3 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const UUID4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const UUID5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const DURATION = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;
const SCALA_DURATION =
  /^\s*\d+\s*(?:ns|nanos?(?:seconds?)?|us|µs|micros?(?:seconds?)?|ms|millis?(?:seconds?)?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*$/i;
const HOST = /^(?=.{1,255}$)(?:[a-zA-Z0-9_](?:[-a-zA-Z0-9_]*[a-zA-Z0-9_])?)(?:\.[a-zA-Z0-9_](?:[-a-zA-Z0-9_]*[a-zA-Z0-9_])?)*\.?$/;
const CARD = /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;
const RGB = /^rgb\(\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*(?:,\s*(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*){2}\)$/;

type Check = (value: string) => boolean;

/** The formats CRDs may ask for; others are ignored, as upstream does. `-` in a name counts for nothing. */
const FORMATS: Readonly<Record<string, Check>> = {
  bsonobjectid: (v) => /^[0-9a-f]{24}$/i.test(v),
  uri: (v) => v.startsWith('/') || /^[a-zA-Z][a-zA-Z0-9+.-]*:\S*$/.test(v),
  email: (v) => /^(?:[^<>]*<)?[^\s@<>]+@[^\s@<>]+>?$/.test(v),
  hostname: (v) => HOST.test(v),
  ipv4: (v) => isIPv4(v),
  ipv6: (v) => isIPv6(v),
  cidr: isCidr,
  mac: (v) => /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4,18}[0-9a-f]{2}$/i.test(v) || /^(?:[0-9a-f]{4}\.){2,9}[0-9a-f]{4}$/i.test(v),
  uuid: (v) => UUID.test(v),
  uuid3: (v) => UUID3.test(v),
  uuid4: (v) => UUID4.test(v),
  uuid5: (v) => UUID5.test(v),
  isbn: (v) => isIsbn10(v) || isIsbn13(v),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: (v) => CARD.test(v.replace(/\D/g, '')),
  ssn: (v) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(v),
  hexcolor: (v) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(v),
  rgbcolor: (v) => RGB.test(v),
  byte: (v) => /^[A-Za-z0-9+/]*={0,2}$/.test(v) && v.length % 4 === 0,
  password: () => true,
  date: (v) => /^\d{4}-\d{2}-\d{2}$/.test(v) && isDay(v.slice(0, 4), v.slice(5, 7), v.slice(8)),
  duration: (v) => v === '0' || DURATION.test(v) || SCALA_DURATION.test(v),
  datetime: isDateTime,
  k8sshortname: (v) => names.isDNS1123Label(v).length === 0,
  k8slongname: (v) => names.isDNS1123Subdomain(v).length === 0,
};

export function matchesFormat(value: string, format: string): boolean {
  const name = format.replaceAll('-', '');
  return Object.hasOwn(FORMATS, name) ? (FORMATS[name] as Check)(value) : true;
}

export function isCidr(value: string): boolean {
  const slash = value.indexOf('/');
  if (slash < 0) return false;
  const family = isIP(value.slice(0, slash));
  const bits = value.slice(slash + 1);
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isDateTime(value: string): boolean {
  const match = DATE_TIME.exec(value);
  if (!match) return false;
  const [, year = '', month = '', day = '', hour, minute, second] = match;
  return isDay(year, month, day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
}

function isDay(year: string, month: string, day: string): boolean {
  const m = Number(month);
  const d = Number(day);
  return m >= 1 && m <= 12 && d >= 1 && d <= new Date(Date.UTC(Number(year), m, 0)).getUTCDate();
}

function isIsbn10(value: string): boolean {
  const text = value.replace(/[\s-]/g, '');
  if (!/^\d{9}[\dX]$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += (10 - i) * (text[i] === 'X' ? 10 : Number(text[i]));
  return sum % 11 === 0;
}

function isIsbn13(value: string): boolean {
  const text = value.replace(/[\s-]/g, '');
  if (!/^\d{13}$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 13; i++) sum += Number(text[i]) * (i % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}
