import https from 'node:https';

/** A keep-alive client of one API server with a client certificate or a token. */
export class ApiClient {
  constructor({ server, token, ...tls }, maxSockets = 64) {
    this.url = new URL(server);
    this.tls = tls;
    this.headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    this.agent = new https.Agent({ keepAlive: true, maxSockets, ...this.tls });
  }

  /** The answer as text; `discard` reads and forgets it. Throws for a status that was not expected. */
  send(method, path, body, { expect = [200, 201], contentType = 'application/json', discard = false } = {}) {
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers, ...(body === undefined ? {} : { 'content-type': contentType }) };
      const request = https.request({ host: this.url.hostname, port: this.url.port, method, path, headers, agent: this.agent }, (response) => {
        const chunks = [];
        let bytes = 0;
        response.on('data', (chunk) => {
          bytes += chunk.length;
          if (!discard) chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (!expect.includes(response.statusCode)) reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
          else resolve({ status: response.statusCode, text, bytes });
        });
      });
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async json(method, path, body, options) {
    return JSON.parse((await this.send(method, path, body, options)).text);
  }

  /** A connection of its own that calls back for every line; returns once the stream is open. */
  watch(path, onLine) {
    return new Promise((resolve, reject) => {
      const agent = new https.Agent({ keepAlive: false, ...this.tls });
      const request = https.request({ host: this.url.hostname, port: this.url.port, path, agent, headers: this.headers }, (response) => {
        let rest = [];
        response.on('data', (chunk) => {
          let from = 0;
          for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
            rest.push(chunk.subarray(from, at));
            onLine(rest.length === 1 ? rest[0] : Buffer.concat(rest));
            rest = [];
            from = at + 1;
          }
          if (from < chunk.length) rest.push(chunk.subarray(from));
        });
        response.on('error', () => {});
        resolve(() => request.destroy());
      });
      request.on('error', reject);
      request.end();
    });
  }

  close() {
    this.agent.destroy();
  }
}
