exports.up = (knex) => knex.schema.createTable("t_20250101000000_init", (t) => { t.increments(); });
exports.down = (knex) => knex.schema.dropTable("t_20250101000000_init");
