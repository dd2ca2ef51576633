// What the browser remembers for one site. Where storage is blocked (a third-party frame, a
// private window) or full, a value lives in memory: the chat works, only a reload forgets it.

export function createStorage(site) {
  const prefix = `p5:${site}:`;
  const memory = new Map();

  function read(name) {
    if (memory.has(name)) return memory.get(name);
    try {
      return localStorage.getItem(prefix + name);
    } catch {
      return null;
    }
  }

  function names() {
    const found = new Set(memory.keys());
    try {
      for (let i = 0; i < localStorage.length; i += 1) {
        const key = localStorage.key(i);
        if (key.startsWith(prefix)) found.add(key.slice(prefix.length));
      }
    } catch {
      // Blocked: memory is all there is.
    }
    return [...found];
  }

  return {
    names,

    get(name) {
      try {
        return JSON.parse(read(name));
      } catch {
        return null; // someone else wrote here
      }
    },

    set(name, value) {
      const text = JSON.stringify(value);
      try {
        localStorage.setItem(prefix + name, text);
        memory.delete(name);
      } catch {
        memory.set(name, text);
      }
    },

    remove(name) {
      memory.delete(name);
      try {
        localStorage.removeItem(prefix + name);
      } catch {
        // Blocked: it was only in memory.
      }
    },

    // Another tab wrote or removed a value of this site.
    watch(changed) {
      addEventListener("storage", ({ key }) => {
        if (key === null) changed(null);
        else if (key.startsWith(prefix)) changed(key.slice(prefix.length));
      });
    },

    // Only one tab at a time runs `work`. Without Web Locks (plain HTTP, old browsers) it just
    // runs: the server recognises a repeated client id.
    async alone(name, work) {
      let begun = false;
      try {
        return await navigator.locks.request(prefix + name, () => {
          begun = true;
          return work();
        });
      } catch (error) {
        if (begun) throw error;
        return work();
      }
    },
  };
}
