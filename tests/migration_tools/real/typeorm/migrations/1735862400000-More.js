class More1735862400000 {
    name = 'More1735862400000'
    async up(queryRunner) { await queryRunner.query(`CREATE TABLE "t_1735862400000" ("id" int)`); }
    async down(queryRunner) { await queryRunner.query(`DROP TABLE "t_1735862400000"`); }
}
module.exports = { More1735862400000 };
