const { createHmac, timingSafeEqual } = require("node:crypto");

function verify(keys, headers, body) {
  const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const given = headers["webhook-signature"].split(" ").map((one) => Buffer.from(one));
  return keys.some((key) => {
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
    const expected = Buffer.from("v1," + mac.digest("base64"));
    return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  });
}
