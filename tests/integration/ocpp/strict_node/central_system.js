// A central system that validates every message of both sides (the strict mode of ocpp-rpc).
// It reads from its standard input what to ask, a JSON object {id, method, params} a line, and
// writes to its standard output what happened: {listening}, {received, params}, {invalid, ...},
// {answer: id, result} or {answer: id, code, words}.
'use strict';

const readline = require('node:readline');
const { RPCServer } = require('ocpp-rpc');

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const now = () => new Date().toISOString();
const accepted = { idTagInfo: { status: 'Accepted' } };
let transactions = 7000;

const answers = {
  Authorize: () => accepted,
  BootNotification: () => ({ status: 'Accepted', interval: 3600, currentTime: now() }),
  DataTransfer: () => ({ status: 'Accepted' }),
  DiagnosticsStatusNotification: () => ({}),
  FirmwareStatusNotification: () => ({}),
  Heartbeat: () => ({ currentTime: now() }),
  MeterValues: () => ({}),
  StartTransaction: () => ({ transactionId: (transactions += 1), ...accepted }),
  StatusNotification: () => ({}),
  StopTransaction: () => accepted,
};

let station = null;
const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });

server.auth((accept, reject, handshake) => accept({ identity: handshake.identity }));

server.on('client', (client) => {
  station = client;
  say({ connected: client.identity, protocol: client.protocol });
  client.on('strictValidationFailure', ({ method, params, result, error, outbound, isCall }) => {
    say({ invalid: method, outbound, isCall, params, result, words: `${error.message} ${JSON.stringify(error.details)}` });
  });
  client.on('badMessage', ({ error }) => say({ invalid: 'frame', outbound: false, words: String(error) }));
  for (const [method, answer] of Object.entries(answers)) {
    client.handle(method, ({ params }) => {
      say({ received: method, params });
      return answer();
    });
  }
});

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line);
  try {
    say({ answer: id, result: await station.call(method, params) });
  } catch (error) {
    say({ answer: id, code: error.rpcErrorCode ?? 'none', words: String(error.message) });
  }
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1').then((http) => say({ listening: http.address().port }));
