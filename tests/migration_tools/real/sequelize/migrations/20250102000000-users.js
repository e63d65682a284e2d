'use strict';
module.exports = {
  async up(queryInterface, Sequelize) { await queryInterface.createTable('t_20250102000000-users', { id: Sequelize.INTEGER }); },
  async down(queryInterface) { await queryInterface.dropTable('t_20250102000000-users'); }
};
