// A check prints one line: `ok NAME` or `not ok NAME: WHY`.

const SECONDS = 10;

export async function check(name, talk) {
  try {
    await Promise.race([talk(), late()]);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${String(error.message).split("\n")[0]}`);
  }
}

async function late() {
  await new Promise((done) => setTimeout(done, SECONDS * 1000).unref());
  throw new Error(`nothing for ${SECONDS} seconds`);
}
