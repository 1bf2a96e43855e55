// SPDX-License-Identifier: BSD-3-Clause
//
// node sdk.mjs PACKAGE SERVICE CIDR: the documented tutorial and the error paths, by the official SDK, as a
// program of its users would do it. Configured by CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN and
// CLOUDFLARE_ACCOUNT_ID. Prints what it saw as JSON; judging is the caller's part.
const [, , name, serviceName, cidr] = process.argv;
const { default: Cloudflare } = await import(name);
const account_id = process.env.CLOUDFLARE_ACCOUNT_ID;

let requests = 0;
const counting = (...given) => {
  ++requests;
  return fetch(...given);
};
const client = new Cloudflare({ apiToken: process.env.CLOUDFLARE_API_TOKEN, fetch: counting });
const seen = { client: name };

const all = async (pages) => {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
};
// What a failure looked like to the program, and how many requests the client made of it.
const failure = async (call) => {
  const before = requests;
  try {
    await call();
    return { status: 200 };
  } catch (error) {
    return {
      status: error.status,
      codes: (error.errors ?? []).map((one) => one.code),
      kind: error.constructor.name,
      requests: requests - before,
    };
  }
};

const services = await all(client.addressing.services.list({ account_id }));
seen.services = services.map((service) => service.name);
const prefixes = await all(client.addressing.prefixes.list({ account_id }));
seen.prefixes = prefixes.map((prefix) => prefix.cidr);
const prefix = prefixes[0];
seen.prefix = await client.addressing.prefixes.get(prefix.id, { account_id });
const bindings = client.addressing.prefixes.serviceBindings;
const before = await all(bindings.list(prefix.id, { account_id }));
seen.default = before.find((binding) => binding.cidr === prefix.cidr);

// Up to version 6 the prefix came first.
const named = (id) =>
  name === 'cloudflare' ? [id, { account_id, prefix_id: prefix.id }] : [prefix.id, id, { account_id }];

const service_id = services.find((service) => service.name === serviceName).id;
const created = await bindings.create(prefix.id, { account_id, cidr, service_id });
seen.created = created;
for (let polls = 0; polls < 500; ++polls) {
  seen.active = await bindings.get(...named(created.id));
  if (seen.active.provisioning.state === 'active') break;
  await new Promise((resolve) => setTimeout(resolve, 10));
}

seen.conflict = await failure(() => bindings.create(prefix.id, { account_id, cidr, service_id }));
seen.malformed = await failure(() =>
  bindings.create(prefix.id, { account_id, cidr: '203.0.113.1/24', service_id }),
);
seen.missing = await failure(() => bindings.get(...named('f'.repeat(32))));
const stranger = new Cloudflare({ apiToken: 'not-a-token', fetch: counting });
seen.unauthorized = await failure(() => all(stranger.addressing.prefixes.list({ account_id })));

seen.deleted = await bindings.delete(...named(created.id));
seen.after = (await all(bindings.list(prefix.id, { account_id }))).map((binding) => binding.cidr);
console.log(JSON.stringify(seen));
